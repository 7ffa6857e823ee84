#define _GNU_SOURCE
#include "clinux_lab.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/loop.h>
#include <linux/magic.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

const unsigned long clinux_lab_host_namespaces =
    CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC;
const unsigned long clinux_lab_build_namespaces = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC;

/* Runs in the child, between clone and exec: system calls only. */
static void become_init(char *const argv[], char *const envp[], int go_read, int go_write, int keep) {
    char byte;
    ssize_t got;
    close(go_write);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) _exit(70);
    do {
        got = read(go_read, &byte, 1);
    } while (got < 0 && errno == EINTR);
    if (got != 1) _exit(70);
    close(go_read);
    if (keep >= 0 && fcntl(keep, F_SETFD, 0) != 0) _exit(70);
    execve("/proc/self/exe", argv, envp);
    _exit(70);
}

pid_t clinux_lab_start(unsigned long namespaces, char *const argv[], char *const envp[], int go_read, int go_write,
                       int keep) {
    /* The bare system call without a stack is fork(2) with flags; the child execs at once. */
    long pid = syscall(SYS_clone, namespaces | SIGCHLD, NULL, NULL, NULL, 0);
    if (pid < 0) return -errno;
    if (pid == 0) become_init(argv, envp, go_read, go_write, keep);
    return (pid_t)pid;
}

int clinux_lab_enter_root(const char *directory) {
    if (chdir(directory) != 0) return -errno;
    /* Stacks the old root over the new one, from where it can be taken off without a directory for it. */
    if (syscall(SYS_pivot_root, ".", ".") != 0) return -errno;
    if (umount2(".", MNT_DETACH) != 0) return -errno;
    return chdir("/") == 0 ? 0 : -errno;
}

int clinux_lab_unshare_cgroup(void) {
    return unshare(CLONE_NEWCGROUP) == 0 ? 0 : -errno;
}

int clinux_lab_drop_capabilities(void) {
    static const int dropped[] = {CAP_SYS_MODULE, CAP_SYS_BOOT, CAP_SYS_TIME, CAP_SYS_RAWIO};
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) != 0) return -errno;
    for (size_t i = 0; i < sizeof dropped / sizeof dropped[0]; i++) {
        unsigned capability = (unsigned)dropped[i];
        uint32_t mask = ~(UINT32_C(1) << (capability % 32));
        if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0) return -errno;
        data[capability / 32].effective &= mask;
        data[capability / 32].permitted &= mask;
        data[capability / 32].inheritable &= mask;
    }
    return syscall(SYS_capset, &header, data) == 0 ? 0 : -errno;
}

int clinux_lab_attach_loop(int image, char *path, size_t size) {
    int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
    if (control < 0) return -errno;
    int result = -EBUSY;
    /* Another process may take the free device between the two calls. */
    for (int attempt = 0; attempt < 64 && result == -EBUSY; attempt++) {
        int number = ioctl(control, LOOP_CTL_GET_FREE);
        if (number < 0) {
            result = -errno;
            break;
        }
        int length = snprintf(path, size, "/dev/loop%d", number);
        if (length < 0 || (size_t)length >= size) {
            result = -ENAMETOOLONG;
            break;
        }
        int device = open(path, O_RDONLY | O_CLOEXEC);
        if (device < 0) {
            result = -errno;
            break;
        }
        struct loop_config configuration;
        memset(&configuration, 0, sizeof configuration);
        configuration.fd = (uint32_t)image;
        configuration.info.lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR;
        if (ioctl(device, LOOP_CONFIGURE, &configuration) == 0) {
            result = device;
        } else {
            result = -errno;
            close(device);
        }
    }
    close(control);
    return result;
}

int clinux_lab_is_cgroup2(const char *directory) {
    struct statfs status;
    if (statfs(directory, &status) != 0) return -errno;
    return status.f_type == CGROUP2_SUPER_MAGIC ? 1 : 0;
}

int clinux_lab_set_opaque(const char *directory) {
    return lsetxattr(directory, "trusted.overlay.opaque", "y", 1, 0) == 0 ? 0 : -errno;
}

pid_t clinux_lab_wait(pid_t pid, int wait_for_it, int *status) {
    int raw = 0;
    pid_t got;
    do {
        got = waitpid(pid, &raw, wait_for_it ? 0 : WNOHANG);
    } while (got < 0 && errno == EINTR);
    if (got < 0) return -errno;
    if (got > 0) *status = WIFSIGNALED(raw) ? 128 + WTERMSIG(raw) : WEXITSTATUS(raw);
    return got;
}

static void watched(sigset_t *set) {
    sigemptyset(set);
    sigaddset(set, SIGCHLD);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGHUP);
    sigaddset(set, SIGQUIT);
}

int clinux_lab_block_signals(void) {
    sigset_t set;
    watched(&set);
    return sigprocmask(SIG_BLOCK, &set, NULL) == 0 ? 0 : -errno;
}

int clinux_lab_next_signal(int milliseconds, int *from_terminal) {
    sigset_t set;
    siginfo_t info;
    struct timespec limit = {milliseconds / 1000, (milliseconds % 1000) * 1000000L};
    watched(&set);
    memset(&info, 0, sizeof info);
    int number = sigtimedwait(&set, &info, &limit);
    if (number < 0) return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    *from_terminal = info.si_code == SI_KERNEL;
    return number;
}

pid_t clinux_lab_spawn(char *const argv[], char *const envp[], const char *directory, int input, int output) {
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t actions;
    sigset_t none, all;
    pid_t pid = -1;
    sigemptyset(&none);
    sigfillset(&all);
    int error = posix_spawnattr_init(&attributes);
    if (error != 0) return -error;
    error = posix_spawn_file_actions_init(&actions);
    if (error != 0) {
        posix_spawnattr_destroy(&attributes);
        return -error;
    }
    error = posix_spawnattr_setsigmask(&attributes, &none);
    if (error == 0) error = posix_spawnattr_setsigdefault(&attributes, &all);
    if (error == 0) error = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    if (error == 0 && directory != NULL) error = posix_spawn_file_actions_addchdir_np(&actions, directory);
    if (error == 0 && input >= 0) error = posix_spawn_file_actions_adddup2(&actions, input, 0);
    if (error == 0 && output >= 0) error = posix_spawn_file_actions_adddup2(&actions, output, 1);
    if (error == 0 && output >= 0) error = posix_spawn_file_actions_adddup2(&actions, output, 2);
    if (error == 0) error = posix_spawnp(&pid, argv[0], &actions, &attributes, argv, envp);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return error == 0 ? pid : -error;
}

int clinux_lab_set_close_on_exec(int descriptor) {
    return fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0 ? 0 : -errno;
}

int clinux_lab_keep_on_exec(int descriptor) {
    return fcntl(descriptor, F_SETFD, 0) == 0 ? 0 : -errno;
}

char *const *clinux_lab_environment(void) {
    return environ;
}
