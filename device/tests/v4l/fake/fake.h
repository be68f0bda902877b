// A camera that is not there: preloaded into a program, it answers for the device node video0 of a folder as a driver
// of the kernel would. The descriptor is a memfd, so that mmap and close work by themselves.
//
// The folder is named by LORGNETTE_FAKE_CAMERA. Files in it say what the camera has and does, at any time:
//
//   video0            it is plugged in
//   MJPG-640x480      a mode: pictures, each behind its length in 32 bits; picture i % count is number i
//   busy              somebody else streams
//   stall             no pictures come
//   substitute        another mode is set than the one asked for: the first in the table below that has a file
//   smaller           pictures come from the file MJPG-smaller, whatever was agreed
//   oversized         MJPG buffers are said to be full, the rest of them being zeros
//   cut               every third picture ends in the middle
//   scrambled         every third picture has other bytes in its middle
//   flagged           every third buffer carries the error flag
//   uncounted         all sequence numbers are 0
//   unstamped         stamps are of no known clock
//   wide              rows of YUYV lie 64 bytes further apart than they need
//   foreign           the camera's name is not UTF-8
//   unstartable       it does not let itself be started
//   unstoppable       nor stopped

#pragma once

#define _GNU_SOURCE
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <linux/videodev2.h>

enum { HANDLES = 16, BUFFERS = 8 };

struct mode {
    uint32_t fourcc, width, height;
};

// A file of pictures, mapped.
struct pictures {
    uint8_t *bytes;
    size_t length;
};

// An open descriptor of the camera.
struct handle {
    int fd;  // 0 when free
    bool dead, streaming;
    struct mode mode;
    struct v4l2_fract interval;
    struct pictures pictures, smaller;
    uint8_t *memory;
    uint32_t buffers, buffer_size;
    uint32_t queued[BUFFERS], queued_count;
    struct v4l2_buffer done[BUFFERS];
    uint32_t done_count;
    int64_t start;  // microseconds
    uint32_t ticks;
};

// modes.c: what the camera says of itself and offers.

void name_of(const struct mode *mode, char name[64]);
bool has(const struct mode *mode);
int query_capabilities(struct v4l2_capability *caps);
// The mode at `index` among those that have a file: of any format, each format once, or of one format.
const struct mode *mode_at(uint32_t index, bool each_format_once, uint32_t fourcc);
int enumerate_formats(struct v4l2_fmtdesc *format);
int enumerate_sizes(struct v4l2_frmsizeenum *size);
int enumerate_intervals(struct v4l2_frmivalenum *interval);

// camera.c: what the hardware and its driver do.

void path_of(const char *name, char path[4096]);
bool there_is(const char *name);
int64_t now(void);
int64_t time_of_tick(const struct handle *h, uint32_t tick);
// What happened since somebody looked.
void advance(struct handle *h);
// Does what an ioctl asks; the error, or 0.
int answer(struct handle *h, unsigned request, void *argument);
