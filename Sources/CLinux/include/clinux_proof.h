/* The throw-away container of the packet proof. */
#ifndef CLINUX_PROOF_H
#define CLINUX_PROOF_H

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/net_namespace.h>
#include <linux/netfilter/nfnetlink_log.h>

/* A new network namespace in which IPv6 is switched off, held by nothing but the descriptor that is returned
   (or -errno): when it is closed, by the end of the process at the latest, the kernel takes the namespace away with
   everything in it. unshare(2) is done on a thread that ends with the call. Where the kernel has no IPv6 there is
   nothing to switch off; where it cannot be switched off there is no namespace, because a new link would announce
   itself to the neighbours. */
int clinux_new_netns(void);

#endif
