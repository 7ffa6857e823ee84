/* What a long-running watch needs of the kernel. Every function gives -errno where it fails. */
#ifndef CLINUX_WATCH_H
#define CLINUX_WATCH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Blocks SIGHUP, SIGINT, SIGTERM and SIGCHLD and gives a descriptor from which they are read. signalfd(2), whose header
   Swift's Glibc does not show. */
int clinux_watch_signals(void);

/* The next of those signals; 0 where none waits. */
int clinux_watch_next_signal(int descriptor);

/* pidfd_open(2): readable when the process ends. */
int clinux_pidfd(pid_t process);

/* pidfd_send_signal(2) of SIGKILL. */
int clinux_pidfd_kill(int descriptor);

/* A file in memory with these bytes, sealed: nobody can change it any more. memfd_create(2), F_ADD_SEALS. */
int clinux_sealed_file(const void *bytes, size_t count);

/* A pair of SOCK_SEQPACKET sockets, close-on-exec. */
int clinux_packet_pair(int ends[2]);

/* Sends descriptors in one message, without waiting. SCM_RIGHTS in unix(7). At most 8. */
int clinux_send_files(int socket, const int *files, int count);

/* Receives such a message: how many descriptors came, 0 at the end of the other side. Each is close-on-exec. */
int clinux_receive_files(int socket, int *files, int room);

/* Gives up everything: other descriptors than 0 to `last`, supplementary groups, user and group (they become `nobody`),
   every capability in every set, the right to gain any by exec, core dumps, new files and processes. From then on the
   process is killed with its parent, `parent`; where that is gone already: -ESRCH. */
int clinux_drop_everything(int last, pid_t parent);

/* Ends this process when its parent, `parent`, does; where that is gone already: -ESRCH. PR_SET_PDEATHSIG in prctl(2). */
int clinux_end_with_parent(pid_t parent);

#endif
