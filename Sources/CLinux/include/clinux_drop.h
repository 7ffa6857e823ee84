/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Why the kernel threw a packet away: a BPF program at the tracepoint kfree_skb that remembers the drop reason of
   packets with a nonce, and of nobody else's. bpf(2), linux/bpf.h, include/trace/events/skb.h. */
#ifndef CLINUX_DROP_H
#define CLINUX_DROP_H

#include <stdint.h>

/* Where the fields of struct sk_buff lie, in bytes. They differ between kernels: /sys/kernel/btf/vmlinux says. */
struct clinux_drop_layout {
    uint32_t head;
    uint32_t network_header;
};

/* The descriptors that the program lives by: closed, or with the process, it is gone. */
struct clinux_drop_program {
    int map;
    int program;
    int link;
};

/* Loads and attaches it. nonce: the four bytes, as they lie in memory, with which the payload of UDP and ICMP echo
   begins and which are the sequence number of a TCP SYN. Gives 0 or -errno. */
int clinux_drop_load(struct clinux_drop_layout layout, uint32_t nonce, struct clinux_drop_program *program);

/* The reason (enum skb_drop_reason) of the first drop of a packet with this identification (of IPv6, the low half of
   the flow label), which is in network order as it lies in memory. Gives 1, 0 where there was none, or -errno. */
int clinux_drop_reason(const struct clinux_drop_program *program, uint16_t identification, uint32_t *reason);

/* Closes what is open; -1 stands for what is not. */
void clinux_drop_unload(struct clinux_drop_program *program);

#endif
