#include "actors/lib/picture/encode.h"

#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

#include <setjmp.h>

struct failure {
    struct jpeg_error_mgr errors;
    jmp_buf back;
};

static void fail(j_common_ptr jpeg)
{
    longjmp(((struct failure *)jpeg->err)->back, 1);
}

static void write_rows(struct jpeg_compress_struct *jpeg, struct fan_pixels pixels)
{
    while (jpeg->next_scanline < jpeg->image_height) {
        JSAMPROW row = (JSAMPROW)(pixels.at + (size_t)jpeg->next_scanline * (size_t)pixels.stride);

        jpeg_write_scanlines(jpeg, &row, 1);
    }
}

enum fan_err fan_encode_jpeg(struct fan_pixels pixels, int quality, struct fan_buffer *out,
        struct fan_why *why)
{
    struct jpeg_compress_struct jpeg = { 0 };
    struct failure failure;
    unsigned char *volatile kept = NULL;
    unsigned char *bytes = NULL;
    unsigned long len = 0;

    jpeg.err = jpeg_std_error(&failure.errors);
    failure.errors.error_exit = fail;
    if (setjmp(failure.back)) {
        jpeg_destroy_compress(&jpeg);
        free(kept);
        return fan_fail(why, FAN_UNAVAILABLE, "the picture could not be written as JPEG");
    }
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &bytes, &len);
    jpeg.image_width = (JDIMENSION)pixels.width;
    jpeg.image_height = (JDIMENSION)pixels.height;
    jpeg.input_components = 4;
    jpeg.in_color_space = JCS_EXT_BGRX;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, quality, TRUE);
    jpeg.comp_info[0].h_samp_factor = 1; /* colour at full size: red text stays sharp */
    jpeg.comp_info[0].v_samp_factor = 1;
    jpeg_start_compress(&jpeg, TRUE);
    write_rows(&jpeg, pixels);
    jpeg_finish_compress(&jpeg);
    kept = bytes;
    jpeg_destroy_compress(&jpeg);
    fan_buffer_add(out, bytes, len);
    free(bytes);
    if (out->overflowed)
        return fan_fail(why, FAN_TOO_LARGE, "the JPEG would be larger than %zu bytes", out->cap);
    return FAN_OK;
}
