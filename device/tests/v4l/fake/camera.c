// What the hardware and its driver do.

#include "fake.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { WIDER = 64 };

void path_of(const char *name, char path[4096]) {
    snprintf(path, 4096, "%s/%s", getenv("LORGNETTE_FAKE_CAMERA"), name);
}

bool there_is(const char *name) {
    char path[4096];
    path_of(name, path);
    return access(path, F_OK) == 0;
}

int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000ll + time.tv_nsec / 1000;
}

static struct pictures read_pictures(const char *name) {
    char path[4096];
    path_of(name, path);
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY);
    struct stat stat;
    struct pictures pictures = {0};
    if (fd < 0) return pictures;
    fstat(fd, &stat);
    pictures.length = (size_t)stat.st_size;
    pictures.bytes = mmap(NULL, pictures.length, PROT_READ, MAP_PRIVATE, fd, 0);
    syscall(SYS_close, fd);
    return pictures;
}

static uint32_t stride_of(const struct mode *mode) {
    switch (mode->fourcc) {
    case V4L2_PIX_FMT_YUYV: return 2 * mode->width + (there_is("wide") ? WIDER : 0);
    case V4L2_PIX_FMT_NV12: return mode->width;
    default: return 0;
    }
}

static uint32_t size_of(const struct mode *mode) {
    if (mode->fourcc == V4L2_PIX_FMT_NV12) return mode->width * mode->height * 3 / 2;
    return (2 * mode->width + WIDER) * mode->height;
}

// Picture `number`, and its length.
static const uint8_t *picture(const struct pictures *pictures, uint32_t number, uint32_t *length) {
    uint32_t count = 0;
    for (size_t at = 0; at + 4 <= pictures->length; at += 4 + *length, count++) memcpy(length, pictures->bytes + at, 4);
    size_t at = 0;
    for (uint32_t i = 0; i <= number % count; i++) {
        if (i > 0) at += 4 + *length;
        memcpy(length, pictures->bytes + at, 4);
    }
    return pictures->bytes + at + 4;
}

// Writes the picture of the current tick into a buffer.
static void expose(struct handle *h, uint32_t index, int64_t time) {
    bool third = h->ticks % 3 == 2;
    uint32_t length = 0;
    const uint8_t *bytes = picture(there_is("smaller") ? &h->smaller : &h->pictures, h->ticks, &length);
    uint8_t *buffer = h->memory + (size_t)index * h->buffer_size;
    uint32_t row = 2 * h->mode.width, stride = stride_of(&h->mode), used = length;
    if (h->mode.fourcc == V4L2_PIX_FMT_YUYV && stride > row) {
        for (uint32_t y = 0; y < h->mode.height; y++) memcpy(buffer + y * stride, bytes + y * row, row);
        used = stride * h->mode.height;
    } else {
        memcpy(buffer, bytes, length);
    }
    if (there_is("cut") && third) used = length / 2;
    if (there_is("scrambled") && third) memset(buffer + used / 2, 0x55, used / 8);
    if (there_is("oversized")) {
        memset(buffer + used, 0, h->buffer_size - used);
        used = h->buffer_size;
    }
    struct v4l2_buffer *done = &h->done[h->done_count++];
    *done = (struct v4l2_buffer){.index = index, .bytesused = used, .length = h->buffer_size};
    done->sequence = there_is("uncounted") ? 0 : h->ticks;
    done->flags = V4L2_BUF_FLAG_DONE | (there_is("flagged") && third ? V4L2_BUF_FLAG_ERROR : 0);
    done->flags |= there_is("unstamped") ? V4L2_BUF_FLAG_TIMESTAMP_UNKNOWN : V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
    done->timestamp = (struct timeval){time / 1000000, time % 1000000};
}

int64_t time_of_tick(const struct handle *h, uint32_t tick) {
    return h->start + (int64_t)(tick + 1) * 1000000 * h->interval.numerator / h->interval.denominator;
}

// What the hardware did since somebody looked: a picture at each tick, lost when no buffer is queued.
void advance(struct handle *h) {
    if (!there_is("video0")) h->dead = true;
    for (; h->streaming && !h->dead && time_of_tick(h, h->ticks) <= now(); h->ticks++) {
        if (there_is("stall") || h->queued_count == 0) continue;
        expose(h, h->queued[0], time_of_tick(h, h->ticks));
        memmove(h->queued, h->queued + 1, --h->queued_count * sizeof *h->queued);
    }
}

static int get_format(struct handle *h, struct v4l2_format *format) {
    struct v4l2_pix_format *pix = &format->fmt.pix;
    *pix = (struct v4l2_pix_format){.width = h->mode.width, .height = h->mode.height, .pixelformat = h->mode.fourcc};
    pix->bytesperline = stride_of(&h->mode);
    pix->sizeimage = size_of(&h->mode);
    pix->colorspace = 255;  // none that there is
    return 0;
}

static int set_format(struct handle *h, struct v4l2_format *format) {
    if (there_is("busy")) return EBUSY;
    const struct v4l2_pix_format *pix = &format->fmt.pix;
    struct mode asked = {pix->pixelformat, pix->width, pix->height};
    const struct mode *first = mode_at(0, false, 0);
    if (!first) return EINVAL;
    h->mode = there_is("substitute") || !has(&asked) ? *first : asked;
    char name[64];
    name_of(&h->mode, name);
    h->pictures = read_pictures(name);
    h->smaller = read_pictures("MJPG-smaller");
    return get_format(h, format);
}

static int request_buffers(struct handle *h, struct v4l2_requestbuffers *request) {
    if (there_is("busy")) return EBUSY;
    h->queued_count = h->done_count = 0;
    if (h->memory) munmap(h->memory, (size_t)h->buffers * h->buffer_size);
    h->memory = NULL;
    h->buffers = request->count = request->count < BUFFERS ? request->count : BUFFERS;
    h->buffer_size = (size_of(&h->mode) + 4095) / 4096 * 4096;
    if (h->buffers == 0) return 0;
    size_t length = (size_t)h->buffers * h->buffer_size;
    if (ftruncate(h->fd, (off_t)length)) return errno;
    h->memory = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, h->fd, 0);
    return h->memory == MAP_FAILED ? errno : 0;
}

static int queue(struct handle *h, const struct v4l2_buffer *buffer) {
    if (buffer->index >= h->buffers) return EINVAL;
    for (uint32_t i = 0; i < h->queued_count; i++)
        if (h->queued[i] == buffer->index) return EINVAL;
    for (uint32_t i = 0; i < h->done_count; i++)
        if (h->done[i].index == buffer->index) return EINVAL;
    h->queued[h->queued_count++] = buffer->index;
    return 0;
}

static int dequeue(struct handle *h, struct v4l2_buffer *buffer) {
    if (!h->streaming) return EINVAL;
    if (h->done_count == 0) return EAGAIN;
    *buffer = h->done[0];
    buffer->type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
    memmove(h->done, h->done + 1, --h->done_count * sizeof *h->done);
    return 0;
}

int answer(struct handle *h, unsigned request, void *argument) {
    advance(h);
    if (h->dead) return ENODEV;
    struct v4l2_buffer *buffer = argument;
    struct v4l2_streamparm *parameters = argument;
    struct v4l2_fract *interval = &parameters->parm.capture.timeperframe;
    switch (request) {
    case VIDIOC_QUERYCAP: return query_capabilities(argument);
    case VIDIOC_ENUM_FMT: return enumerate_formats(argument);
    case VIDIOC_ENUM_FRAMESIZES: return enumerate_sizes(argument);
    case VIDIOC_ENUM_FRAMEINTERVALS: return enumerate_intervals(argument);
    case VIDIOC_G_FMT: return get_format(h, argument);
    case VIDIOC_S_FMT: return set_format(h, argument);
    case VIDIOC_G_PARM: *interval = h->interval; return 0;
    case VIDIOC_S_PARM: h->interval = *interval; return 0;
    case VIDIOC_REQBUFS: return request_buffers(h, argument);
    case VIDIOC_QUERYBUF:
        if (buffer->index >= h->buffers) return EINVAL;
        buffer->length = h->buffer_size;
        buffer->m.offset = buffer->index * h->buffer_size;
        return 0;
    case VIDIOC_QBUF: return queue(h, buffer);
    case VIDIOC_DQBUF: return dequeue(h, buffer);
    case VIDIOC_STREAMON:
        if (there_is("unstartable")) return EIO;
        h->streaming = true, h->start = now(), h->ticks = 0;
        return 0;
    case VIDIOC_STREAMOFF:
        if (there_is("unstoppable")) return EIO;
        h->streaming = false, h->queued_count = h->done_count = 0;
        return 0;
    default: return ENOTTY;
    }
}
