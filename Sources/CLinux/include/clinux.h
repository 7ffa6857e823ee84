/* Kernel headers, and the shims that Swift cannot express. One header per subject; this one gathers them. */
#ifndef CLINUX_H
#define CLINUX_H

#include "clinux_bpf.h"
#include "clinux_netlink.h"
#include "clinux_open.h"
#include "clinux_proof.h"
#include "clinux_drop.h"
#include "clinux_guard.h"
#include "clinux_lab.h"
#include "clinux_program.h"
#include "clinux_watch.h"

#endif
