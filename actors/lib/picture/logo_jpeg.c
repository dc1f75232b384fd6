#include "actors/lib/picture/logo_decode.h"

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

static void be_quiet(j_common_ptr jpeg)
{
    (void)jpeg;
}

static bool read_rows(struct jpeg_decompress_struct *jpeg, const struct fan_image_header *header,
        unsigned char *pixels)
{
    if (jpeg->image_width != header->width || jpeg->image_height != header->height)
        return false;
    if (jpeg->jpeg_color_space == JCS_CMYK || jpeg->jpeg_color_space == JCS_YCCK)
        return false;
    jpeg->out_color_space = JCS_EXT_RGBA;
    jpeg_start_decompress(jpeg);
    while (jpeg->output_scanline < jpeg->output_height) {
        JSAMPROW row = pixels + (size_t)jpeg->output_scanline * header->width * 4;

        jpeg_read_scanlines(jpeg, &row, 1);
    }
    jpeg_finish_decompress(jpeg);
    return true;
}

bool fan_decode_jpeg(struct fan_bytes file, const struct fan_image_header *header,
        unsigned char *pixels)
{
    struct jpeg_decompress_struct jpeg = { 0 };
    struct failure failure;
    volatile bool done = false;

    jpeg.err = jpeg_std_error(&failure.errors);
    failure.errors.error_exit = fail;
    failure.errors.output_message = be_quiet;
    if (setjmp(failure.back)) {
        jpeg_destroy_decompress(&jpeg);
        return false;
    }
    jpeg_create_decompress(&jpeg);
    jpeg_mem_src(&jpeg, (const unsigned char *)file.at, file.len);
    if (jpeg_read_header(&jpeg, TRUE) == JPEG_HEADER_OK)
        done = read_rows(&jpeg, header, pixels);
    jpeg_destroy_decompress(&jpeg);
    return done;
}
