/* Opening things where or how the C library has no call for it. Every function gives a descriptor or -errno. */
#ifndef CLINUX_OPEN_H
#define CLINUX_OPEN_H

#include <stddef.h>

/* socket(2) in the network namespace that the descriptor names; below zero: in the caller's own. setns(2) is done on
   a thread that ends with the call, so no other thread ever changes its namespace. */
int clinux_socket_in_netns(int netns, int domain, int type, int protocol);

/* openat2(2), for which glibc has no wrapper: the path is resolved as if `root` were the root directory
   (RESOLVE_IN_ROOT), and never through a magic link of procfs (RESOLVE_NO_MAGICLINKS). */
int clinux_open_in_root(int root, const char *path, int flags);

/* openat2(2): the path stays below `root` and on its file system, and no part of it is a symbolic link. */
int clinux_open_beneath(int root, const char *path, int flags);

/* Sets an extended attribute of a file that was opened with O_PATH, by way of /proc/self/fd. Gives 0 or -errno. */
int clinux_set_xattr(int fd, const char *name, const void *value, size_t size);

/* open(2) flags that need _GNU_SOURCE, and differ between processors. */
extern const int clinux_o_path;
extern const int clinux_o_tmpfile;

/* pipe2(2) with O_CLOEXEC: ends[0] is read, ends[1] written. Gives 0 or -errno. */
int clinux_pipe(int ends[2]);

/* An empty file in memory, close-on-exec. memfd_create(2), which needs _GNU_SOURCE. */
int clinux_anonymous_file(void);

/* Gives a file the extended attributes of another (access list, SELinux label), but for security.ima and security.evm,
   which are over the content. In C because the list of names is walked byte by byte. Gives 0 or -errno. */
int clinux_copy_xattrs(int from, int to);

/* Whether the file lies on procfs (PROC_SUPER_MAGIC, fstatfs(2), which Swift's Glibc does not show): 1, 0 or -errno. */
int clinux_is_procfs(int fd);

/* renameat2(2) with RENAME_NOREPLACE, which needs _GNU_SOURCE. Gives 0, or -1 and errno. */
int clinux_rename_new(int from_directory, const char *from, int to_directory, const char *to);

/* syncfs(2), which needs _GNU_SOURCE. Gives 0 or -errno. */
int clinux_sync_file_system(int fd);

#endif
