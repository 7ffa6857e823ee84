/* Running programs of others so that they cannot outlive the program that wants them run. */
#ifndef CLINUX_PROGRAM_H
#define CLINUX_PROGRAM_H

#include <sys/types.h>

/* Starts a program in a process group of its own, under a guardian that leads the group and kills it as soon as the
   other end of `lifeline` is closed, which the kernel does when the caller dies. Standard input is empty; both outputs
   go to `output`. `far_end` is the caller's end of the lifeline, which the guardian must not hold.
   Gives the guardian's process id (to be waited for; its status is the program's, 128 + signal for one that was killed,
   126 where it could not be started), or -errno. Daemons that leave the group (setsid(2)) live on, as they should. */
pid_t clinux_program_start(
    const char *path, char *const argv[], char *const envp[], int output, int lifeline, int far_end);

#endif
