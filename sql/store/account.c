#include "sql/store/account.h"

#include "sql/queries.h"
#include "sql/store/contact.h"

#include <sodium.h>

enum {
    SECRET = 32,          /* bytes */
    KEEP_ANSWERS = 86400, /* seconds */
    FORGET_AT_ONCE = 20,
};

enum fan_err fan_account_get(struct fan_db *db, fan_id account, struct fan_arena *arena,
        struct fan_account *out, struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    err = fan_db_run(db, &fan_q_account_get, &args, &rows, why);
    if (err)
        return err;
    if (rows.count == 0)
        return fan_fail(why, FAN_NOT_FOUND, "there is no account %lld", (long long)account);
    *out = (struct fan_account){
        .name = fan_row_text(&rows, 0, 0),
        .default_country = fan_row_text(&rows, 0, 1),
        .fallbacks = fan_row_text(&rows, 0, 2),
    };
    return FAN_OK;
}

/* ---- the first account ---- */

static enum fan_err insert_account(struct fan_db *db, fan_id account,
        const struct fan_account_new *who, struct fan_arena *arena, struct fan_why *why)
{
    struct fan_args args;

    fan_args_for(&args, arena, account);
    fan_arg_text(&args, who->name);
    fan_arg_text(&args, who->default_country.at ? who->default_country : FAN_LIT(""));
    return fan_db_run(db, &fan_q_account_insert, &args, NULL, why);
}

static enum fan_err insert_user(struct fan_db *db, fan_id account,
        const struct fan_account_new *who, struct fan_arena *arena, fan_id *user,
        struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    fan_arg_text(&args, who->email);
    fan_arg_text(&args, FAN_LIT(""));
    err = fan_db_run(db, &fan_q_account_user_insert, &args, &rows, why);
    *user = !err ? fan_row_i64(&rows, 0, 0) : 0;
    return err;
}

static enum fan_err insert_key(struct fan_db *db, const struct fan_account_made *made,
        struct fan_arena *arena, struct fan_why *why)
{
    struct fan_args args;
    char hash[FAN_KEY_HASH];

    fan_api_key_hash(made->key, hash);
    fan_args_for(&args, arena, made->account);
    fan_arg_i64(&args, made->user);
    fan_arg_text(&args, FAN_LIT("first key"));
    fan_arg_bytea(&args, (struct fan_bytes){ .at = hash, .len = sizeof hash });
    return fan_db_run(db, &fan_q_account_key_insert, &args, NULL, why);
}

static enum fan_err next_account(struct fan_db *db, struct fan_arena *arena, fan_id *account,
        struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_db_account(db, 0);
    fan_args_begin(&args, arena);
    err = fan_db_run(db, &fan_q_account_next_id, &args, &rows, why);
    *account = !err ? fan_row_i64(&rows, 0, 0) : 0;
    return err ? err : fan_db_commit(db, why);
}

enum fan_err fan_account_create_first(struct fan_db *db, const struct fan_account_new *who,
        struct fan_arena *arena, struct fan_account_made *out, struct fan_why *why)
{
    static const struct fan_bytes attributes[] = { FAN_LIT("location"),
        FAN_LIT("preferred_product") };
    const struct fan_texts declared = { .at = attributes, .len = 2 };
    enum fan_err err = next_account(db, arena, &out->account, why);

    if (err)
        return err;
    fan_db_account(db, out->account); /* row-level security binds the owner too */
    err = insert_account(db, out->account, who, arena, why);
    if (!err)
        err = insert_user(db, out->account, who, arena, &out->user, why);
    if (!err)
        err = fan_attributes_declare(db, out->account, declared, arena, why);
    out->key = fan_api_key_new(out->account, arena);
    if (!err)
        err = insert_key(db, out, arena, why);
    if (err) {
        fan_db_abort(db);
        return err;
    }
    return fan_db_commit(db, why);
}

/* ---- keys ---- */

struct fan_bytes fan_api_key_new(fan_id account, struct fan_arena *arena)
{
    unsigned char secret[SECRET];
    char text[sodium_base64_ENCODED_LEN(SECRET, sodium_base64_VARIANT_URLSAFE_NO_PADDING)];
    struct fan_bytes key;

    if (sodium_init() < 0)
        fan_die("libsodium does not start");
    randombytes_buf(secret, sizeof secret);
    sodium_bin2base64(text, sizeof text, secret, sizeof secret,
            sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    key = fan_bytes_of(fan_arena_printf(arena, "ffk_%lld_%s", (long long)account, text));
    sodium_memzero(secret, sizeof secret);
    sodium_memzero(text, sizeof text);
    return key;
}

fan_id fan_api_key_account(struct fan_bytes key)
{
    struct fan_bytes number, secret;
    int64_t account;

    if (!fan_bytes_starts(key, FAN_LIT("ffk_")))
        return 0;
    secret = fan_bytes_split((struct fan_bytes){ .at = key.at + 4, .len = key.len - 4 }, '_',
            &number);
    if (secret.len < 20 || secret.len > 100 || !fan_bytes_i64(number, &account) || account < 0)
        return 0;
    return account;
}

void fan_api_key_hash(struct fan_bytes key, char out[FAN_KEY_HASH])
{
    crypto_generichash((unsigned char *)out, FAN_KEY_HASH, (const unsigned char *)key.at, key.len,
            NULL, 0);
}

static enum fan_err note_use(struct fan_db *db, fan_id account, fan_id key, struct fan_arena *arena,
        struct fan_why *why)
{
    struct fan_args args;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, key);
    return fan_db_run(db, &fan_q_account_key_used, &args, NULL, why);
}

enum fan_err fan_api_key_find(struct fan_db *db, fan_id account, const char hash[FAN_KEY_HASH],
        struct fan_arena *arena, struct fan_api_key *out, struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    fan_arg_bytea(&args, (struct fan_bytes){ .at = hash, .len = FAN_KEY_HASH });
    err = fan_db_run(db, &fan_q_account_key_find, &args, &rows, why);
    if (err)
        return err;
    if (rows.count == 0)
        return fan_fail(why, FAN_DENIED, "there is no such key");
    *out = (struct fan_api_key){
        .key = fan_row_i64(&rows, 0, 0),
        .user = fan_row_i64(&rows, 0, 1),
        .role = fan_row_text(&rows, 0, 2),
    };
    return fan_row_bool(&rows, 0, 3) ? note_use(db, account, out->key, arena, why) : FAN_OK;
}

/* ---- repeated requests ---- */

static enum fan_err find_answer(struct fan_db *db, fan_id account, struct fan_bytes key,
        struct fan_bytes hash, struct fan_arena *arena, struct fan_repeat *out, struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    fan_args_for(&args, arena, account);
    fan_arg_text(&args, key);
    err = fan_db_run(db, &fan_q_account_repeat_find, &args, &rows, why);
    if (err)
        return err;
    if (rows.count == 0) /* dropped between two statements */
        return fan_fail(why, FAN_CONFLICT, "the key was forgotten just now");
    if (!fan_bytes_eq(fan_row_text(&rows, 0, 0), hash))
        return fan_fail(why, FAN_DENIED, "this key was used for another request");
    *out = (struct fan_repeat){
        .repeated = true,
        .status = (int)fan_row_i64(&rows, 0, 1),
        .body = fan_row_text(&rows, 0, 2),
    };
    return FAN_OK;
}

/* Each new key pays for the removal of some old ones, so their number stays bounded. */
static enum fan_err forget_old(struct fan_db *db, fan_id account, struct fan_arena *arena,
        struct fan_why *why)
{
    struct fan_args args;

    fan_args_for(&args, arena, account);
    fan_arg_i64(&args, KEEP_ANSWERS * FAN_SECOND);
    fan_arg_i64(&args, FORGET_AT_ONCE);
    return fan_db_run(db, &fan_q_account_repeat_forget, &args, NULL, why);
}

enum fan_err fan_repeat_claim(struct fan_db *db, fan_id account, struct fan_bytes key,
        struct fan_bytes hash, struct fan_arena *arena, struct fan_repeat *out, struct fan_why *why)
{
    struct fan_args args;
    struct fan_rows rows;
    enum fan_err err;

    *out = (struct fan_repeat){ .repeated = false };
    fan_args_for(&args, arena, account);
    fan_arg_text(&args, key);
    fan_arg_bytea(&args, hash);
    err = fan_db_run(db, &fan_q_account_repeat_claim, &args, &rows, why);
    if (err)
        return err;
    if (rows.count)
        return forget_old(db, account, arena, why);
    return find_answer(db, account, key, hash, arena, out, why);
}

enum fan_err fan_repeat_answered(struct fan_db *db, fan_id account, struct fan_bytes key,
        int status, struct fan_bytes body, struct fan_arena *arena, struct fan_why *why)
{
    struct fan_args args;

    fan_args_for(&args, arena, account);
    fan_arg_text(&args, key);
    fan_arg_i32(&args, status);
    fan_arg_text(&args, body);
    return fan_db_run(db, &fan_q_account_repeat_answered, &args, NULL, why);
}
