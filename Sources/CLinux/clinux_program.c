#define _GNU_SOURCE
#include "clinux_program.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/mount.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Of sys/mount.h, which excludes linux/mount.h. */
extern int mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data);
enum { ms_bind = 4096, ms_recursive = 16384, ms_private = 1 << 18 };

struct program {
    const char *path;
    char *const *argv, *const *envp;
    struct clinux_streams streams;
    const struct clinux_confinement *confinement;
    int held;
};

/* Between fork and exec only what signal-safety(7) allows. */
static void reset_signals(void) {
    sigset_t none;
    for (int number = 1; number < 65; number++) signal(number, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static int set_mount(const char *path, unsigned int flags, unsigned long long set, unsigned long long clear) {
    struct mount_attr attributes = {.attr_set = set, .attr_clr = clear};
    return (int)syscall(SYS_mount_setattr, AT_FDCWD, path, flags, &attributes, sizeof attributes);
}

static int confine(const struct clinux_confinement *wanted) {
    int spaces = CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | (wanted->network ? 0 : CLONE_NEWNET);
    if (unshare(spaces) < 0 || mount(NULL, "/", NULL, ms_recursive | ms_private, NULL) < 0) return -1;
    const char *place = wanted->writable;
    if (place && mount(place, place, NULL, ms_bind, NULL) < 0) return -1;
    if (set_mount("/", AT_RECURSIVE, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID, 0) < 0) return -1;
    if (place && set_mount(place, 0, MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOSUID, MOUNT_ATTR_RDONLY) < 0)
        return -1;
    /* Not the directory under the new mount. */
    if (chdir(place ? place : "/") < 0) return -1;
    struct rlimit none = {0, 0}, size = {wanted->file_size, wanted->file_size};
    if (setrlimit(RLIMIT_CORE, &none) < 0) return -1;
    if (wanted->file_size && setrlimit(RLIMIT_FSIZE, &size) < 0) return -1;
    for (int number = 0; number < 64; number++) {
        if (wanted->capabilities >> number & 1) continue;
        /* EINVAL: this kernel has no such capability. */
        if (prctl(PR_CAPBSET_DROP, number, 0, 0, 0) < 0 && errno != EINVAL) return -1;
    }
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static void become(const struct program *program) {
    if (program->streams.input >= 0) {
        if (dup2(3, 0) < 0) _exit(126);
    } else {
        int empty = open("/dev/null", O_RDONLY);
        if (empty < 0 || dup2(empty, 0) < 0) _exit(126);
        if (empty > 2) close(empty);
    }
    close(3);
    if (program->confinement && confine(program->confinement) < 0) _exit(125);
    execve(program->path, program->argv, program->envp);
    _exit(126);
}

/* Ends the program's whole group and waits until nothing of it is left: those that lose their parent become children
   here. Not longer than ten seconds, as one may hang in the kernel. */
static void end_group(pid_t child) {
    kill(-child, SIGKILL);
    for (int tries = 0; tries < 2000; tries++) {
        pid_t ended = waitpid(-child, NULL, WNOHANG);
        if (ended < 0 && errno != EINTR) return;
        if (ended > 0) continue;
        struct timespec pause = {0, 5000000};
        nanosleep(&pause, NULL);
    }
}

static void guard(const struct program *program, int lifeline, int far_end) {
    setpgid(0, 0);
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    close(far_end);
    reset_signals();
    /* 0: the lifeline, 1 and 2: the outputs, 3: the program's input, then what is held, which the program itself does not
       get; nothing else of the caller stays open. First out of each other's way. */
    int input = program->streams.input, output = fcntl(program->streams.output, F_DUPFD, 10);
    int messages = fcntl(program->streams.messages, F_DUPFD, 10);
    int held = program->held < 0 ? -1 : fcntl(program->held, F_DUPFD_CLOEXEC, 10);
    if (input >= 0) input = fcntl(input, F_DUPFD, 10);
    if (lifeline != 0 && dup2(lifeline, 0) < 0) _exit(126);
    if (dup2(output, 1) < 0 || dup2(messages, 2) < 0 || (input >= 0 && dup2(input, 3) < 0)) _exit(126);
    int first = input >= 0 ? 4 : 3;
    if (held >= 0) {
        if (dup3(held, first, O_CLOEXEC) < 0) _exit(126);
        first++;
    }
    syscall(SYS_close_range, (unsigned)first, ~0U, 0U);
    pid_t child = fork();
    if (child < 0) _exit(126);
    if (child == 0) {
        setpgid(0, 0);
        become(program);
    }
    /* Here too: whoever comes first. */
    setpgid(child, child);
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
    end_group(child);
    _exit(126);
}

pid_t clinux_program_start(
    const char *path, char *const argv[], char *const envp[], struct clinux_streams streams, int lifeline, int far_end,
    int held, const struct clinux_confinement *confinement) {
    struct program program = {path, argv, envp, streams, confinement, held};
    pid_t guardian = fork();
    if (guardian < 0) return -errno;
    if (guardian == 0) guard(&program, lifeline, far_end);
    /* Here too: whoever comes first. */
    setpgid(guardian, guardian);
    return guardian;
}
