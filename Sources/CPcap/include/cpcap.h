/* libpcap, loaded at run time: see cpcap.c. */
#ifndef CPCAP_H
#define CPCAP_H
#include <pcap/pcap.h>
#endif
