/* actors/lib/media/sign.c, with the vectors of Amazon's documentation of Signature Version 4 */
#include "actors/lib/media/sign.h"

#include "proto/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>

#define EMPTY FAN_LIT("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
#define WELCOME FAN_LIT("44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072")
#define SHA_HEADER \
    { \
        FAN_LIT("x-amz-content-sha256"), EMPTY \
    }
#define DATE_HEADER \
    { \
        FAN_LIT("x-amz-date"), FAN_LIT("20130524T000000Z") \
    }

/* 2013-05-24T00:00:00Z */
static const fan_time at = INT64_C(1369353600) * FAN_SECOND;

static const struct fan_sign_key key = {
    .id = FAN_LIT("AKIAIOSFODNN7EXAMPLE"),
    .secret = FAN_LIT("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    .region = FAN_LIT("us-east-1"),
};

static const struct fan_sign_pair range[] = {
    { FAN_LIT("Range"), FAN_LIT("bytes=0-9") },
};
static const struct fan_sign_pair put_headers[] = {
    { FAN_LIT("x-amz-storage-class"), FAN_LIT("  REDUCED_REDUNDANCY ") },
    { FAN_LIT("Date"), FAN_LIT("Fri, 24  May 2013 00:00:00 GMT") },
};
static const struct fan_sign_pair lifecycle[] = { { FAN_LIT("lifecycle"), FAN_LIT("") } };
static const struct fan_sign_pair listing[] = {
    { FAN_LIT("prefix"), FAN_LIT("J") },
    { FAN_LIT("max-keys"), FAN_LIT("2") },
};

static const struct {
    struct fan_bytes method, path, payload;
    struct fan_sign_pairs query, headers;
    const char *names, *canonical, *signature;
} vectors[] = {
    { FAN_LIT("GET"), FAN_LIT("/test.txt"), EMPTY, { NULL, 0 }, { range, 1 },
            "host;range;x-amz-content-sha256;x-amz-date",
            "7344ae5b7ee6c3e7e6b0fe0640412a37625d1fbfff95c48bbb2dc43964946972",
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41" },
    { FAN_LIT("PUT"), FAN_LIT("/test$file.text"), WELCOME, { NULL, 0 }, { put_headers, 2 },
            "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
            "9e0e90d9c76de8fa5b200d8c849cd5b8dc7a3be3951ddb7f6a76b4158342019d",
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd" },
    { FAN_LIT("GET"), FAN_LIT("/"), EMPTY, { lifecycle, 1 }, { NULL, 0 },
            "host;x-amz-content-sha256;x-amz-date",
            "9766c798316ff2757b517bc739a67f6213b4ab36dd5da2f94eaebf79c77395ca",
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543" },
    { FAN_LIT("GET"), FAN_LIT("/"), EMPTY, { listing, 2 }, { NULL, 0 },
            "host;x-amz-content-sha256;x-amz-date",
            "df57d21db20da04d7fa30298dd4488ba3a2b47ca3a489c74750e0f1e7df1b9b7",
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7" },
};

static void assert_hash(struct fan_bytes text, const char *expected)
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    char hex[2 * sizeof hash + 1];

    crypto_hash_sha256(hash, (const unsigned char *)text.at, text.len);
    sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
    assert_string_equal(hex, expected);
}

static struct fan_sign_request request_of(size_t i)
{
    return (struct fan_sign_request){
        .method = vectors[i].method,
        .host = FAN_LIT("examplebucket.s3.amazonaws.com"),
        .path = vectors[i].path,
        .query = vectors[i].query,
        .headers = vectors[i].headers,
        .payload = vectors[i].payload,
    };
}

/* As fan_sign_header completes it. */
static struct fan_sign_request completed(size_t i, struct fan_arena *arena)
{
    struct fan_sign_request request = request_of(i);
    struct fan_sign_pair *pairs = fan_arena_array(arena, request.headers.len + 2, sizeof *pairs);
    size_t len = request.headers.len;

    for (size_t k = 0; k < len; k++)
        pairs[k] = request.headers.at[k];
    pairs[len] = (struct fan_sign_pair){ FAN_LIT("X-Amz-Content-Sha256"), request.payload };
    pairs[len + 1] = (struct fan_sign_pair)DATE_HEADER;
    request.headers = (struct fan_sign_pairs){ pairs, len + 2 };
    return request;
}

static void requests_have_the_canonical_form_of_the_documentation(void **state)
{
    struct fan_arena *arena = fan_arena_new();

    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        struct fan_sign_request request = completed(i, arena);

        assert_hash(fan_sign_canonical(&request, arena), vectors[i].canonical);
    }
    fan_arena_free(&arena);
}

static void requests_are_signed_as_the_documentation_says(void **state)
{
    struct fan_arena *arena = fan_arena_new();

    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        struct fan_sign_request request = request_of(i);
        const char *expected = fan_arena_printf(arena,
                "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/"
                "aws4_request, SignedHeaders=%s, Signature=%s",
                vectors[i].names, vectors[i].signature);

        assert_string_equal(fan_bytes_cstr(fan_sign_header(&key, &request, at, arena), arena),
                expected);
    }
    fan_arena_free(&arena);
}

static void a_url_is_signed_as_the_documentation_says(void **state)
{
    struct fan_arena *arena = fan_arena_new();
    const struct fan_sign_request request = {
        .method = FAN_LIT("GET"),
        .host = FAN_LIT("examplebucket.s3.amazonaws.com"),
        .path = FAN_LIT("/test.txt"),
        .payload = FAN_SIGN_UNSIGNED,
    };

    assert_string_equal(fan_bytes_cstr(fan_sign_query(&key, &request, at, 86400, arena), arena),
            "X-Amz-Algorithm=AWS4-HMAC-SHA256"
            "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
            "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
            "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
    fan_arena_free(&arena);
}

static void a_path_is_encoded_once_and_keeps_its_slashes(void **state)
{
    struct fan_arena *arena = fan_arena_new();

    assert_string_equal(fan_bytes_cstr(fan_sign_path(FAN_LIT("/a b/~c-d_e.f/\xc3\xa4%+/"), arena),
                                arena),
            "/a%20b/~c-d_e.f/%C3%A4%25%2B/");
    assert_string_equal(fan_bytes_cstr(fan_sign_path(FAN_LIT("/"), arena), arena), "/");
    fan_arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_have_the_canonical_form_of_the_documentation),
        cmocka_unit_test(requests_are_signed_as_the_documentation_says),
        cmocka_unit_test(a_url_is_signed_as_the_documentation_says),
        cmocka_unit_test(a_path_is_encoded_once_and_keeps_its_slashes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
