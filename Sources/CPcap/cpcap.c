#include "cpcap.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>

/* Debian and its children name the library 0.8 for historical reasons; everybody else names it 1. */
static const char *const names[] = {"libpcap.so.0.8", "libpcap.so.1"};

static struct cpcap_library library;
static int complete;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* dlsym gives an object pointer; POSIX promises that it may hold a function's address. */
static int find(void *handle, const char *name, void *slot)
{
    void *address = dlsym(handle, name);
    *(void **)slot = address;
    return address != NULL;
}

static int fill(void *handle)
{
    return find(handle, "pcap_create", &library.create)
        && find(handle, "pcap_set_snaplen", &library.set_snaplen)
        && find(handle, "pcap_set_promisc", &library.set_promisc)
        && find(handle, "pcap_set_timeout", &library.set_timeout)
        && find(handle, "pcap_set_immediate_mode", &library.set_immediate_mode)
        && find(handle, "pcap_set_buffer_size", &library.set_buffer_size)
        && find(handle, "pcap_set_tstamp_precision", &library.set_tstamp_precision)
        && find(handle, "pcap_get_tstamp_precision", &library.get_tstamp_precision)
        && find(handle, "pcap_activate", &library.activate)
        && find(handle, "pcap_set_datalink", &library.set_datalink)
        && find(handle, "pcap_datalink", &library.datalink)
        && find(handle, "pcap_setnonblock", &library.setnonblock)
        && find(handle, "pcap_compile", &library.compile)
        && find(handle, "pcap_setfilter", &library.setfilter)
        && find(handle, "pcap_freecode", &library.freecode)
        && find(handle, "pcap_next_ex", &library.next_ex)
        && find(handle, "pcap_get_selectable_fd", &library.get_selectable_fd)
        && find(handle, "pcap_stats", &library.stats)
        && find(handle, "pcap_geterr", &library.geterr)
        && find(handle, "pcap_close", &library.close);
}

static void load(void)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0] && !complete; i++) {
        void *handle = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
        if (handle == NULL)
            continue;
        complete = fill(handle);
        if (!complete)
            dlclose(handle);
    }
}

const struct cpcap_library *cpcap_load(void)
{
    pthread_once(&once, load);
    return complete ? &library : NULL;
}
