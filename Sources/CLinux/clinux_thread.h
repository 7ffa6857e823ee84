/* For the shims that change the network namespace of a thread. */
#ifndef CLINUX_THREAD_H
#define CLINUX_THREAD_H

/* Runs the function on a thread that ends with the call, so that what it does to its thread (setns(2), unshare(2))
   concerns no other. All signals are blocked on that thread: they stay with the caller's. Gives 0 or -errno. */
int clinux_on_thread(void *(*function)(void *), void *argument);

#endif
