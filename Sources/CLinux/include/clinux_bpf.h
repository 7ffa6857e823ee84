/* Which BPF programs act on packets. bpf(2), linux/bpf.h. The constants stand in the .c file: they are younger than
   the headers of some systems that this is built on. */
#ifndef CLINUX_BPF_H
#define CLINUX_BPF_H

#include <stdint.h>

/* A program at a hook of netfilter (BPF_LINK_TYPE_NETFILTER, Linux 6.4). */
struct clinux_bpf_netfilter {
    uint32_t link;
    uint32_t program;
    uint32_t family;
    uint32_t hook;
    int32_t priority;
};

/* How many programs are attached by tcx to a link of this network namespace (Linux 6.6), on its way in or out: zero
   where the kernel has nothing of the kind. Or -errno. */
int clinux_bpf_tcx(unsigned link, int outwards);

/* The first BPF link of netfilter, of whatever network namespace, whose id is above `after`. Gives 1, 0 where there
   is none or the kernel has nothing of the kind, or -errno. */
int clinux_bpf_next_netfilter(uint32_t after, struct clinux_bpf_netfilter *found);

#endif
