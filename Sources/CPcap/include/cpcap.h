/* libpcap, loaded at run time: a host without it can still be judged, only not proved. */
#ifndef CPCAP_H
#define CPCAP_H

#include <pcap/pcap.h>
#include <pcap/sll.h>

/* The functions of libpcap that are used, with the types that its own header gives them. */
struct cpcap_library {
    __typeof__(pcap_create) *create;
    __typeof__(pcap_set_snaplen) *set_snaplen;
    __typeof__(pcap_set_promisc) *set_promisc;
    __typeof__(pcap_set_timeout) *set_timeout;
    __typeof__(pcap_set_immediate_mode) *set_immediate_mode;
    __typeof__(pcap_set_buffer_size) *set_buffer_size;
    __typeof__(pcap_set_tstamp_precision) *set_tstamp_precision;
    __typeof__(pcap_get_tstamp_precision) *get_tstamp_precision;
    __typeof__(pcap_activate) *activate;
    __typeof__(pcap_set_datalink) *set_datalink;
    __typeof__(pcap_datalink) *datalink;
    __typeof__(pcap_setnonblock) *setnonblock;
    __typeof__(pcap_compile) *compile;
    __typeof__(pcap_setfilter) *setfilter;
    __typeof__(pcap_freecode) *freecode;
    __typeof__(pcap_next_ex) *next_ex;
    __typeof__(pcap_get_selectable_fd) *get_selectable_fd;
    __typeof__(pcap_stats) *stats;
    __typeof__(pcap_geterr) *geterr;
    __typeof__(pcap_close) *close;
};

/* The library, or NULL where it is absent or too old (1.5 has every function above). Loaded once; thread-safe. */
const struct cpcap_library *cpcap_load(void);

#endif
