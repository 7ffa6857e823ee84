#include "clinux_thread.h"

#include <pthread.h>
#include <signal.h>
#include <stddef.h>

int clinux_on_thread(void *(*function)(void *), void *argument) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    int error = pthread_create(&thread, NULL, function, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0) return -error;
    pthread_join(thread, NULL);
    return 0;
}
