// nfnetlink constructors: see linux/netfilter/nf_tables.h.
