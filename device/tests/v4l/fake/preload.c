// The calls that a program makes to a device, of which those to the camera are answered here.

#include "fake.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct handle handles[HANDLES];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static struct handle *find(int fd) {
    for (int i = 0; fd > 0 && i < HANDLES; i++)
        if (handles[i].fd == fd) return &handles[i];
    return NULL;
}

static int open_fake(void) {
    for (int i = 0; i < HANDLES; i++) {
        if (handles[i].fd) continue;
        int fd = memfd_create("camera", MFD_CLOEXEC);
        handles[i] = (struct handle){.fd = fd, .interval = {1, 30}};
        return fd;
    }
    errno = EMFILE;
    return -1;
}

static int open_any(const char *symbol, const char *path, int flags, mode_t mode) {
    char ours[4096];
    path_of("video0", ours);
    int (*real)(const char *, int, ...) = dlsym(RTLD_NEXT, symbol);
    if (strcmp(path, ours) != 0 || !there_is("video0")) return real(path, flags, mode);
    pthread_mutex_lock(&mutex);
    int fd = open_fake();
    pthread_mutex_unlock(&mutex);
    return fd;
}

int open(const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = va_arg(arguments, mode_t);
    va_end(arguments);
    return open_any("open", path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = va_arg(arguments, mode_t);
    va_end(arguments);
    return open_any("open64", path, flags, mode);
}

int close(int fd) {
    pthread_mutex_lock(&mutex);
    struct handle *h = find(fd);
    if (h && h->memory) munmap(h->memory, (size_t)h->buffers * h->buffer_size);
    if (h) h->fd = 0;
    pthread_mutex_unlock(&mutex);
    return (int)syscall(SYS_close, fd);
}

long syscall(long number, ...) {
    static long (*real)(long, ...);
    if (!real) real = dlsym(RTLD_NEXT, "syscall");
    long a[6];
    va_list arguments;
    va_start(arguments, number);
    for (int i = 0; i < 6; i++) a[i] = va_arg(arguments, long);
    va_end(arguments);
    if (number != SYS_ioctl) return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
    pthread_mutex_lock(&mutex);
    struct handle *h = find((int)a[0]);
    int error = h ? answer(h, (unsigned)a[1], (void *)a[2]) : 0;
    pthread_mutex_unlock(&mutex);
    if (!h) return real(number, a[0], a[1], a[2]);
    errno = error;
    return error ? -1 : 0;
}

int poll(struct pollfd *fds, nfds_t count, int timeout) {
    static int (*real)(struct pollfd *, nfds_t, int);
    if (!real) real = dlsym(RTLD_NEXT, "poll");
    int64_t end = now() + timeout * 1000ll;
    for (;;) {
        pthread_mutex_lock(&mutex);
        struct handle *h = count == 1 ? find(fds[0].fd) : NULL;
        if (h) advance(h);
        bool error = h && (h->dead || !h->streaming), ready = h && h->done_count > 0;
        int64_t wake = h ? time_of_tick(h, h->ticks) : 0;
        pthread_mutex_unlock(&mutex);
        if (!h) return real(fds, count, timeout);
        fds[0].revents = error ? POLLERR : POLLIN;
        if (error || ready) return 1;
        if (timeout >= 0 && now() >= end) return 0;
        if (timeout >= 0 && wake > end) wake = end;
        int64_t wait = wake - now();
        if (wait > 20000) wait = 20000;  // an unplugged camera wakes who waits for it
        if (wait > 0) usleep((useconds_t)wait);
    }
}
