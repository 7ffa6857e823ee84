/* The system calls by which a practice host is built. Every function returns -errno where it fails. */
#ifndef CLINUX_LAB_H
#define CLINUX_LAB_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Sets of namespaces for clinux_lab_start, as clone(2) flags. */
extern const unsigned long clinux_lab_host_namespaces;  /* mount, pid, net, uts, ipc */
extern const unsigned long clinux_lab_build_namespaces; /* mount, pid, uts, ipc: shares the network */

/* Starts this very program again (argv, envp) as process 1 of new namespaces, to be killed with the calling thread.
   It runs only after one byte is written to go_write; the end of file there ends it. keep stays open in it.
   Returns its pid. clone(2), PR_SET_PDEATHSIG in prctl(2). */
pid_t clinux_lab_start(unsigned long namespaces, char *const argv[], char *const envp[], int go_read, int go_write,
                       int keep);

/* pivot_root(2) to the current directory; what was the root is detached. */
int clinux_lab_enter_root(const char *directory);

/* unshare(2) of the cgroup namespace. */
int clinux_lab_unshare_cgroup(void);

/* Takes CAP_SYS_MODULE, CAP_SYS_BOOT, CAP_SYS_TIME and CAP_SYS_RAWIO from the bounding, permitted, effective and
   inheritable sets for good. capabilities(7). */
int clinux_lab_drop_capabilities(void);

/* Binds an open image file read-only to a free loop device that frees itself with its last user. loop(4).
   Writes the path of the device and returns a descriptor of it. */
int clinux_lab_attach_loop(int image, char *path, size_t size);

/* 1 where the directory is the mount point of a cgroup v2 hierarchy, 0 where it is not. */
int clinux_lab_is_cgroup2(const char *directory);

/* Marks a directory as opaque for overlayfs: nothing of lower layers shows in it. */
int clinux_lab_set_opaque(const char *directory);

/* waitpid(2); exit status in shell manner: 128 + signal for a killed child. Returns the pid, 0 where none is due. */
pid_t clinux_lab_wait(pid_t pid, int wait_for_it, int *status);

/* The next of SIGCHLD, SIGINT, SIGTERM, SIGHUP and SIGQUIT, which must be blocked; 0 after the timeout.
   *from_terminal: the kernel sent it, so the whole foreground process group has it already. */
int clinux_lab_next_signal(int milliseconds, int *from_terminal);
int clinux_lab_block_signals(void);

/* posix_spawnp with every signal unblocked and at its default. directory, input and output may be NULL and -1. */
pid_t clinux_lab_spawn(char *const argv[], char *const envp[], const char *directory, int input, int output);

int clinux_lab_set_close_on_exec(int descriptor);
int clinux_lab_keep_on_exec(int descriptor);

/* environ(7), which Swift will not touch from concurrent code. */
char *const *clinux_lab_environment(void);

#endif
