/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
#define _GNU_SOURCE
#include "clinux_drop.h"

#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The helpers that read kernel memory are for programs under the GPL only, and this file is under it as well. */
static const char licence[] = "Dual MIT/GPL";

enum {
    /* What is read of a packet: an IP header without options, and twelve bytes behind it. Behind a packet of IPv4
       lies what the kernel keeps behind every packet. */
    bytes_read = 52,
    /* Below the frame pointer. */
    head = -8,
    offset = -16,
    packet = -72,
    key = -80,
    value = -88,
    remembered = 256,
};

static int bpf(int command, union bpf_attr *attributes) {
    long result = syscall(SYS_bpf, command, attributes, sizeof *attributes);
    return result < 0 ? -errno : (int)result;
}

static struct bpf_insn op(uint8_t code, uint8_t to, uint8_t from, int16_t off, int32_t immediate) {
    return (struct bpf_insn){.code = code, .dst_reg = to, .src_reg = from, .off = off, .imm = immediate};
}

#define MOVE(to, from) op(BPF_ALU64 | BPF_MOV | BPF_X, to, from, 0, 0)
#define SET(to, number) op(BPF_ALU64 | BPF_MOV | BPF_K, to, 0, 0, number)
#define ADD(to, number) op(BPF_ALU64 | BPF_ADD | BPF_K, to, 0, 0, number)
#define PLUS(to, from) op(BPF_ALU64 | BPF_ADD | BPF_X, to, from, 0, 0)
#define LOAD(size, to, from, off) op(BPF_LDX | (size) | BPF_MEM, to, from, off, 0)
#define STORE(size, to, off, from) op(BPF_STX | (size) | BPF_MEM, to, from, off, 0)
#define STORE_NUMBER(size, to, off, number) op(BPF_ST | (size) | BPF_MEM, to, 0, off, number)
#define CALL(helper) op(BPF_JMP | BPF_CALL, 0, 0, 0, helper)
#define EXIT() op(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
/* probe_read_kernel(frame pointer + to, size, from + add) */
#define READ(to, size, from, add)                                                                          \
    MOVE(1, 10), ADD(1, to), SET(2, size), MOVE(3, from), ADD(3, add), CALL(BPF_FUNC_probe_read_kernel)

int clinux_drop_load(struct clinux_drop_layout layout, uint32_t nonce, struct clinux_drop_program *result) {
    *result = (struct clinux_drop_program){-1, -1, -1};
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.map_type = BPF_MAP_TYPE_HASH;
    attributes.key_size = 4;
    attributes.value_size = 4;
    attributes.max_entries = remembered;
    result->map = bpf(BPF_MAP_CREATE, &attributes);
    if (result->map < 0) return result->map;

    struct bpf_insn program[] = {
        /* r6: the arguments of the tracepoint: skb, location, reason. r7: skb. */
        MOVE(6, 1),
        LOAD(BPF_DW, 7, 6, 0),
        STORE_NUMBER(BPF_DW, 10, offset, 0),
        READ(head, 8, 7, (int32_t)layout.head),
        READ(offset, 2, 7, (int32_t)layout.network_header),
        /* r8: the IP header. */
        LOAD(BPF_DW, 8, 10, head),
        LOAD(BPF_H, 1, 10, offset),
        PLUS(8, 1),
        READ(packet, bytes_read, 8, 0),
        op(BPF_JMP | BPF_JNE | BPF_K, 0, 0, 0, 0),
        LOAD(BPF_B, 1, 10, packet),
        op(BPF_ALU64 | BPF_AND | BPF_K, 1, 0, 0, 0xf0),
        op(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 8, 0x60),
        LOAD(BPF_B, 1, 10, packet),
        op(BPF_JMP | BPF_JNE | BPF_K, 1, 0, 0, 0x45),
        /* IPv4: the payload of UDP and ICMP echo, or else the sequence number of TCP; the identification. */
        LOAD(BPF_W, 1, 10, packet + 28),
        op(BPF_JMP32 | BPF_JEQ | BPF_K, 1, 0, 2, (int32_t)nonce),
        LOAD(BPF_W, 1, 10, packet + 24),
        op(BPF_JMP32 | BPF_JNE | BPF_K, 1, 0, 0, (int32_t)nonce),
        LOAD(BPF_H, 1, 10, packet + 4),
        op(BPF_JMP | BPF_JA, 0, 0, 5, 0),
        /* IPv6: the same; the low half of the flow label. */
        LOAD(BPF_W, 1, 10, packet + 48),
        op(BPF_JMP32 | BPF_JEQ | BPF_K, 1, 0, 2, (int32_t)nonce),
        LOAD(BPF_W, 1, 10, packet + 44),
        op(BPF_JMP32 | BPF_JNE | BPF_K, 1, 0, 0, (int32_t)nonce),
        LOAD(BPF_H, 1, 10, packet + 2),
        /* The first drop of this identification stays. */
        STORE(BPF_W, 10, key, 1),
        LOAD(BPF_W, 1, 6, 16),
        STORE(BPF_W, 10, value, 1),
        op(BPF_LD | BPF_DW | BPF_IMM, 1, BPF_PSEUDO_MAP_FD, 0, result->map),
        op(0, 0, 0, 0, 0),
        MOVE(2, 10),
        ADD(2, key),
        MOVE(3, 10),
        ADD(3, value),
        SET(4, BPF_NOEXIST),
        CALL(BPF_FUNC_map_update_elem),
        SET(0, 0),
        EXIT(),
    };
    int count = (int)(sizeof program / sizeof program[0]);
    /* A jump that says 0 goes to the end. */
    for (int i = 0; i < count; i++) {
        uint8_t kind = BPF_CLASS(program[i].code), what = BPF_OP(program[i].code);
        int jumps = (kind == BPF_JMP || kind == BPF_JMP32) && (what == BPF_JNE || what == BPF_JEQ);
        if (jumps && program[i].off == 0) program[i].off = (int16_t)(count - 2 - i - 1);
    }
    memset(&attributes, 0, sizeof attributes);
    attributes.prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT;
    attributes.insns = (uint64_t)(uintptr_t)program;
    attributes.insn_cnt = (uint32_t)count;
    attributes.license = (uint64_t)(uintptr_t)licence;
    result->program = bpf(BPF_PROG_LOAD, &attributes);
    if (result->program < 0) return result->program;

    memset(&attributes, 0, sizeof attributes);
    attributes.raw_tracepoint.name = (uint64_t)(uintptr_t)"kfree_skb";
    attributes.raw_tracepoint.prog_fd = (uint32_t)result->program;
    result->link = bpf(BPF_RAW_TRACEPOINT_OPEN, &attributes);
    return result->link < 0 ? result->link : 0;
}

int clinux_drop_reason(const struct clinux_drop_program *program, uint16_t identification, uint32_t *reason) {
    union bpf_attr attributes;
    uint32_t number = identification;
    memset(&attributes, 0, sizeof attributes);
    attributes.map_fd = (uint32_t)program->map;
    attributes.key = (uint64_t)(uintptr_t)&number;
    attributes.value = (uint64_t)(uintptr_t)reason;
    int result = bpf(BPF_MAP_LOOKUP_ELEM, &attributes);
    if (result == -ENOENT) return 0;
    return result < 0 ? result : 1;
}

void clinux_drop_unload(struct clinux_drop_program *program) {
    if (program->link >= 0) close(program->link);
    if (program->program >= 0) close(program->program);
    if (program->map >= 0) close(program->map);
    *program = (struct clinux_drop_program){-1, -1, -1};
}
