#define _GNU_SOURCE
#include "clinux_open.h"
#include "clinux_thread.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

const int clinux_o_path = O_PATH;
const int clinux_o_tmpfile = O_TMPFILE;

struct socket_request {
    int netns, domain, type, protocol, result;
};

static void *socket_in_netns(void *argument) {
    struct socket_request *request = argument;
    if (setns(request->netns, CLONE_NEWNET) < 0) {
        request->result = -errno;
        return NULL;
    }
    int fd = socket(request->domain, request->type, request->protocol);
    request->result = fd < 0 ? -errno : fd;
    return NULL;
}

int clinux_socket_in_netns(int netns, int domain, int type, int protocol) {
    if (netns < 0) {
        int fd = socket(domain, type, protocol);
        return fd < 0 ? -errno : fd;
    }
    struct socket_request request = {netns, domain, type, protocol, -EIO};
    int error = clinux_on_thread(socket_in_netns, &request);
    return error < 0 ? error : request.result;
}

int clinux_open_in_root(int root, const char *path, int flags) {
    struct open_how how = {
        .flags = (unsigned int)flags,
        .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
    };
    long fd;
    /* EAGAIN: a rename raced with a "..", the kernel asks to try again. */
    int tries = 8;
    do
        fd = syscall(SYS_openat2, root, path, &how, sizeof how);
    while (fd < 0 && (errno == EAGAIN || errno == EINTR) && --tries > 0);
    return fd < 0 ? -errno : (int)fd;
}

int clinux_open_beneath(int root, const char *path, int flags) {
    struct open_how how = {
        .flags = (unsigned int)flags,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
    };
    long fd = syscall(SYS_openat2, root, path, &how, sizeof how);
    return fd < 0 ? -errno : (int)fd;
}

int clinux_set_xattr(int fd, const char *name, const void *value, size_t size) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return setxattr(path, name, value, size, 0) < 0 ? -errno : 0;
}

int clinux_sync_file_system(int fd) {
    return syncfs(fd) < 0 ? -errno : 0;
}

int clinux_pipe(int ends[2]) {
    return pipe2(ends, O_CLOEXEC) < 0 ? -errno : 0;
}

int clinux_anonymous_file(void) {
    int fd = memfd_create("lxc-doctor", MFD_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int clinux_copy_xattrs(int from, int to) {
    /* XATTR_LIST_MAX and XATTR_SIZE_MAX are both 65536. */
    enum { maximum = 65536 };
    char *names = malloc(maximum + 1), *value = malloc(maximum);
    int result = names && value ? 0 : -ENOMEM;
    ssize_t length = 0;
    if (result == 0) {
        length = flistxattr(from, names, maximum);
        /* A file system without extended attributes has none to lose. */
        if (length < 0 && errno != ENOTSUP) result = -errno;
    }
    if (length > 0) names[length] = 0;
    for (const char *name = names; result == 0 && name < names + length; name += strlen(name) + 1) {
        if (strcmp(name, "security.ima") == 0 || strcmp(name, "security.evm") == 0) continue;
        ssize_t size = fgetxattr(from, name, value, maximum);
        if (size < 0 || fsetxattr(to, name, value, (size_t)size, 0) < 0) result = -errno;
    }
    free(names);
    free(value);
    return result;
}

int clinux_is_procfs(int fd) {
    struct statfs facts;
    if (fstatfs(fd, &facts) < 0) return -errno;
    return facts.f_type == PROC_SUPER_MAGIC;
}

int clinux_rename_new(int from_directory, const char *from, int to_directory, const char *to) {
    return renameat2(from_directory, from, to_directory, to, RENAME_NOREPLACE);
}
