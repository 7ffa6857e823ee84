#define _GNU_SOURCE
#include "clinux_guard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/close_range.h>

/* Everything but three descriptors: a pipe or a veth that the dead process held must not live on here. */
static void close_others(int a, int b, int c) {
    int kept[3] = {a, b, c};
    for (int i = 0; i < 2; i++) {
        for (int j = i + 1; j < 3; j++) {
            if (kept[j] < kept[i]) {
                int other = kept[i];
                kept[i] = kept[j];
                kept[j] = other;
            }
        }
    }
    unsigned from = 0;
    for (int i = 0; i < 3; i++) {
        unsigned descriptor = (unsigned)kept[i];
        if (descriptor > from) syscall(SYS_close_range, from, descriptor - 1, 0);
        from = descriptor + 1;
    }
    syscall(SYS_close_range, from, ~0U, 0);
}

/* The child of a fork: system calls only. */
static void guard(int file, const char *bytes, size_t count, int lock, int end) {
    char byte;
    ssize_t got;
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    setsid();
    close_others(file, lock, end);
    do {
        got = read(end, &byte, 1);
    } while (got < 0 && errno == EINTR);
    ssize_t written = write(file, bytes, count);
    _exit(written == (ssize_t)count ? 0 : 1);
}

pid_t clinux_guard_start(int file, const char *bytes, size_t count, int lock, int *control) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return -errno;
    pid_t pid = fork();
    if (pid < 0) {
        int error = errno;
        close(ends[0]);
        close(ends[1]);
        return -error;
    }
    if (pid == 0) {
        close(ends[1]);
        guard(file, bytes, count, lock, ends[0]);
    }
    close(ends[0]);
    *control = ends[1];
    return pid;
}

void clinux_guard_end(pid_t pid, int control) {
    int status;
    close(control);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
}
