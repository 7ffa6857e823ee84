/* The kernel's own netlink constants, so that Swift code names them instead of repeating their values. */
#ifndef CLINUX_NETLINK_H
#define CLINUX_NETLINK_H

/* The C library's own types first: the kernel headers then leave theirs out (linux/libc-compat.h). */
#include <netinet/in.h>
#include <net/if.h>
#include <sys/socket.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/if_link.h>
#include <linux/if_bridge.h>
#include <linux/fib_rules.h>
#include <linux/neighbour.h>
#include <linux/veth.h>
#include <linux/xfrm.h>
#include <linux/netconf.h>
#include <linux/pkt_sched.h>
#include <linux/pkt_cls.h>
#include <linux/tc_act/tc_gact.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/ipset/ip_set.h>

#endif
