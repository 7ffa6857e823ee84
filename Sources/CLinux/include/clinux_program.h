/* Running programs of others so that they cannot outlive the program that wants them run, and, where they work on what
   strangers have made, so that they can harm nothing. */
#ifndef CLINUX_PROGRAM_H
#define CLINUX_PROGRAM_H

#include <sys/types.h>

/* Descriptors for the program; `input` below zero: it reads /dev/null. */
struct clinux_streams {
    int input, output, messages;
};

/* What is taken from a program before it starts. It gets a mount namespace in which everything is read-only but the
   directory `writable` (NULL: nothing at all), and there nothing is a device or can be executed; namespaces of its own
   for IPC, host name and, unless `network` is set, the network; no privileges but `capabilities` (bits of
   linux/capability.h), and none to gain; files of at most `file_size` bytes (0: no limit).
   Needs mount_setattr(2), Linux 5.12. Source: mount_namespaces(7), capabilities(7), setrlimit(2). */
struct clinux_confinement {
    const char *writable;
    int network;
    unsigned long long capabilities, file_size;
};

/* Starts a program in a process group of its own, under a guardian that ends that group as soon as the other end of
   `lifeline` is closed, which the kernel does when the caller dies. `far_end` is the caller's end of the lifeline, which
   the guardian must not hold. `held` is a descriptor that stays open until nothing of the group runs any more, and is not
   passed on to the program; below zero: none. `confinement` may be NULL.
   Gives the guardian's process id (to be waited for; its status is the program's, 128 + signal for one that was killed,
   126 where it could not be started, 125 where it could not be confined), or -errno. Daemons that leave the group
   (setsid(2)) live on, as they should. */
pid_t clinux_program_start(
    const char *path, char *const argv[], char *const envp[], struct clinux_streams streams, int lifeline, int far_end,
    int held, const struct clinux_confinement *confinement);

#endif
