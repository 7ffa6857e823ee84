/* A process that puts a sysctl back when this one is done with it, or dies. */
#ifndef CLINUX_GUARD_H
#define CLINUX_GUARD_H

#include <stddef.h>
#include <sys/types.h>

/* Forks a guard that waits for the end of this process, or for clinux_guard_end, and then writes the bytes to the open
   file. It keeps `lock` open until then, in a session of its own, so that no signal to a process group ends it.
   *control: the descriptor that it watches. Returns the pid, or -errno. */
pid_t clinux_guard_start(int file, const char *bytes, size_t count, int lock, int *control);

/* Lets the guard write and end, and waits for it. */
void clinux_guard_end(pid_t guard, int control);

#endif
