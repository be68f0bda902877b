// What the camera says of itself and offers.

#include "fake.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct mode MODES[] = {
    {V4L2_PIX_FMT_MJPEG, 1280, 720}, {V4L2_PIX_FMT_MJPEG, 640, 480}, {V4L2_PIX_FMT_YUYV, 1280, 720},
    {V4L2_PIX_FMT_YUYV, 640, 480},   {V4L2_PIX_FMT_NV12, 640, 480},  {V4L2_PIX_FMT_H264, 640, 480},
};
static const uint32_t RATES[] = {15, 30, 200};

void name_of(const struct mode *mode, char name[64]) {
    snprintf(name, 64, "%.4s-%ux%u", (const char *)&mode->fourcc, mode->width, mode->height);
}

bool has(const struct mode *mode) {
    char name[64];
    name_of(mode, name);
    return there_is(name);
}

int query_capabilities(struct v4l2_capability *caps) {
    *caps = (struct v4l2_capability){.driver = "fake", .card = "Lorgnette Fake Camera", .bus_info = "platform:fake"};
    if (there_is("foreign")) memcpy(caps->card, "Kamera \xc3", 9);
    caps->device_caps = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
    caps->capabilities = caps->device_caps | V4L2_CAP_DEVICE_CAPS;
    return 0;
}

const struct mode *mode_at(uint32_t index, bool each_format_once, uint32_t fourcc) {
    uint32_t last = 0;
    for (size_t i = 0; i < sizeof MODES / sizeof *MODES; i++) {
        const struct mode *mode = &MODES[i];
        if (!has(mode) || (fourcc && mode->fourcc != fourcc) || (each_format_once && mode->fourcc == last)) continue;
        last = mode->fourcc;
        if (index-- == 0) return mode;
    }
    return NULL;
}

int enumerate_formats(struct v4l2_fmtdesc *format) {
    const struct mode *mode = mode_at(format->index, true, 0);
    if (!mode) return EINVAL;
    format->pixelformat = mode->fourcc;
    return 0;
}

int enumerate_sizes(struct v4l2_frmsizeenum *size) {
    const struct mode *mode = mode_at(size->index, false, size->pixel_format);
    if (!mode) return EINVAL;
    size->type = V4L2_FRMSIZE_TYPE_DISCRETE;
    size->discrete = (struct v4l2_frmsize_discrete){mode->width, mode->height};
    return 0;
}

int enumerate_intervals(struct v4l2_frmivalenum *interval) {
    if (interval->index >= sizeof RATES / sizeof *RATES) return EINVAL;
    interval->type = V4L2_FRMIVAL_TYPE_DISCRETE;
    interval->discrete = (struct v4l2_fract){1, RATES[interval->index]};
    return 0;
}
