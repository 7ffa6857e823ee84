#define _GNU_SOURCE
#include "clinux_bpf.h"

#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
    tcx_ingress = 46,
    tcx_egress = 47,
    link_type_netfilter = 10,
    /* A host has a few dozens. */
    most_links = 65536,
    /* Of 0.1 ms each. */
    most_waits = 500,
};

static int bpf(int command, union bpf_attr *attributes) {
    long result = syscall(SYS_bpf, command, attributes, sizeof *attributes);
    return result < 0 ? -errno : (int)result;
}

/* EINVAL is what a kernel says that does not know the command or the kind of hook; ENOSYS, one without bpf(2). */
static int is_unknown(int result) {
    return result == -EINVAL || result == -ENOSYS || result == -EOPNOTSUPP;
}

int clinux_bpf_tcx(unsigned link, int outwards) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.query.target_fd = link;
    attributes.query.attach_type = outwards ? tcx_egress : tcx_ingress;
    int result = bpf(BPF_PROG_QUERY, &attributes);
    /* ENOENT: nobody has attached anything there yet. */
    if (result == -ENOENT || is_unknown(result)) return 0;
    return result < 0 ? result : (int)attributes.query.prog_cnt;
}

/* struct bpf_link_info, as far as it matters here: type, id, prog_id; then for netfilter pf, hooknum, priority. */
static int describe(uint32_t id, uint32_t info[8]) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.link_id = id;
    int fd = bpf(BPF_LINK_GET_FD_BY_ID, &attributes);
    /* EAGAIN: somebody is just making it, and it has no number yet (bpf_link_by_id in kernel/bpf/syscall.c). */
    for (int i = 0; fd == -EAGAIN && i < most_waits; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 100000}, 0);
        fd = bpf(BPF_LINK_GET_FD_BY_ID, &attributes);
    }
    if (fd < 0) return fd;
    memset(&attributes, 0, sizeof attributes);
    attributes.info.bpf_fd = (uint32_t)fd;
    attributes.info.info_len = 8 * sizeof(uint32_t);
    attributes.info.info = (uint64_t)(uintptr_t)info;
    int result = bpf(BPF_OBJ_GET_INFO_BY_FD, &attributes);
    close(fd);
    return result;
}

int clinux_bpf_next_netfilter(uint32_t after, struct clinux_bpf_netfilter *found) {
    uint32_t id = after;
    for (int i = 0; i < most_links; i++) {
        union bpf_attr attributes;
        memset(&attributes, 0, sizeof attributes);
        attributes.start_id = id;
        int result = bpf(BPF_LINK_GET_NEXT_ID, &attributes);
        if (result == -ENOENT || is_unknown(result)) return 0;
        if (result < 0) return result;
        id = attributes.next_id;
        uint32_t info[8] = {0};
        result = describe(id, info);
        /* Gone meanwhile. */
        if (result == -ENOENT) continue;
        if (result < 0) return result;
        if (info[0] != link_type_netfilter) continue;
        *found = (struct clinux_bpf_netfilter){
            .link = info[1], .program = info[2], .family = info[4], .hook = info[5], .priority = (int32_t)info[6]};
        return 1;
    }
    return -E2BIG;
}
