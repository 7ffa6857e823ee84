#define _GNU_SOURCE
#include "clinux_proof.h"
#include "clinux_thread.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

/* The keys of /proc/sys/net are those of the namespace of the thread that opens them. */
static const char *const switches[] = {
    "/proc/sys/net/ipv6/conf/all/disable_ipv6",
    "/proc/sys/net/ipv6/conf/default/disable_ipv6",
};

static int switch_ipv6_off(void) {
    for (unsigned i = 0; i < sizeof switches / sizeof switches[0]; i++) {
        int fd = open(switches[i], O_WRONLY | O_CLOEXEC);
        if (fd < 0) {
            if (errno == ENOENT) continue;
            return -errno;
        }
        int error = write(fd, "1", 1) == 1 ? 0 : -errno;
        close(fd);
        if (error != 0) return error;
    }
    return 0;
}

static void *new_netns(void *argument) {
    int *result = argument;
    if (unshare(CLONE_NEWNET) < 0) {
        *result = -errno;
        return NULL;
    }
    int error = switch_ipv6_off();
    if (error != 0) {
        *result = error;
        return NULL;
    }
    int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    *result = fd < 0 ? -errno : fd;
    return NULL;
}

int clinux_new_netns(void) {
    int result = -EIO;
    int error = clinux_on_thread(new_netns, &result);
    return error < 0 ? error : result;
}
