/* Opens and closes the capture handle that the packet proof uses: what no program that captures can save. */
#include <pcap/pcap.h>
#include <stdio.h>

int main(void) {
    char error[PCAP_ERRBUF_SIZE];
    pcap_t *handle = pcap_create("any", error);
    if (handle == NULL) return 1;
    pcap_set_snaplen(handle, 256);
    pcap_set_promisc(handle, 0);
    pcap_set_timeout(handle, 1);
    pcap_set_immediate_mode(handle, 1);
    pcap_set_buffer_size(handle, 512 << 10);
    if (pcap_activate(handle) < 0 || pcap_set_datalink(handle, DLT_LINUX_SLL2) != 0) return 2;
    puts("open");
    fflush(stdout);
    pcap_close(handle);
    return 0;
}
