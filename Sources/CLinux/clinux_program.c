#define _GNU_SOURCE
#include "clinux_program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Between fork and exec only what signal-safety(7) allows. */
static void reset_signals(void) {
    sigset_t none;
    for (int number = 1; number < 65; number++) signal(number, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void guard(const char *path, char *const argv[], char *const envp[], int output, int lifeline, int far_end) {
    setpgid(0, 0);
    close(far_end);
    reset_signals();
    /* 0: the lifeline, 1 and 2: the output; nothing else of the caller stays open. */
    if (output == 0) output = fcntl(output, F_DUPFD, 3);
    if (lifeline != 0 && dup2(lifeline, 0) < 0) _exit(126);
    if (dup2(output, 1) < 0 || dup2(output, 2) < 0) _exit(126);
    syscall(SYS_close_range, 3U, ~0U, 0U);
    pid_t child = fork();
    if (child < 0) _exit(126);
    if (child == 0) {
        int empty = open("/dev/null", O_RDONLY);
        if (empty < 0 || dup2(empty, 0) < 0) _exit(126);
        if (empty > 2) close(empty);
        execve(path, argv, envp);
        _exit(126);
    }
    int handle = (int)syscall(SYS_pidfd_open, child, 0);
    for (;;) {
        struct pollfd waiting[2] = {{.fd = 0, .events = 0}, {.fd = handle, .events = POLLIN}};
        /* Without pidfd_open(2), before Linux 5.3, the child is looked at every now and then. */
        int ready = poll(waiting, handle < 0 ? 1 : 2, handle < 0 ? 10 : -1);
        if (ready < 0 && errno != EINTR) break;
        if (waiting[0].revents != 0) break;
        int status = 0;
        if (waitpid(child, &status, WNOHANG) != child) continue;
        _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    }
    kill(0, SIGKILL);
    _exit(126);
}

pid_t clinux_program_start(
    const char *path, char *const argv[], char *const envp[], int output, int lifeline, int far_end) {
    pid_t guardian = fork();
    if (guardian < 0) return -errno;
    if (guardian == 0) guard(path, argv, envp, output, lifeline, far_end);
    /* Here too: whoever comes first. */
    setpgid(guardian, guardian);
    return guardian;
}
