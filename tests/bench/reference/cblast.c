// A throw-away reference for the bound: the whole blast in one C process, three threads, no actors,
// no retries, no error policy.
//   planner: SELECT by tag, render, COPY binary (client-assigned ids) a batch a transaction
//   sender : libcurl multi, keep-alive connections
//   marker : UPDATE ... FROM unnest, a batch a transaction
// usage: cblast [-b INSERT_BATCH] [-u UPDATE_BATCH] [-c CONNS] [-q MAX_QUEUED_BATCHES] [-l
// FLUSH_MS]
#include <arpa/inet.h>
#include <curl/curl.h>
#include <endian.h>
#include <libpq-fe.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
static int IB = 1000, UB = 500, C = 100, QMAX = 8, LMS = 10;
static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}
struct msg {
    long id;
    char to[20];
    char body[160];
    char sid[40];
};
struct bat {
    int n, i;
    struct bat *next;
    struct msg m[];
};
struct q {
    pthread_mutex_t l;
    pthread_cond_t c;
    struct bat *h, *t;
    int n, closed;
};
static struct q Q1 = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER },
                Q2 = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER };
static CURLM *M;
static void put(struct q *q, struct bat *b, int max)
{
    pthread_mutex_lock(&q->l);
    while (max && q->n >= max)
        pthread_cond_wait(&q->c, &q->l);
    if (b) {
        b->next = 0;
        if (q->t)
            q->t->next = b;
        else
            q->h = b;
        q->t = b;
        q->n++;
    } else
        q->closed = 1;
    pthread_cond_broadcast(&q->c);
    pthread_mutex_unlock(&q->l);
    if (q == &Q1)
        curl_multi_wakeup(M);
}
static struct bat *get(struct q *q, int wait)
{
    pthread_mutex_lock(&q->l);
    while (wait && !q->h && !q->closed)
        pthread_cond_wait(&q->c, &q->l);
    struct bat *b = q->h;
    if (b) {
        q->h = b->next;
        if (!q->h)
            q->t = 0;
        q->n--;
        pthread_cond_broadcast(&q->c);
    }
    pthread_mutex_unlock(&q->l);
    return b;
}
static void die(PGconn *c, const char *w)
{
    fprintf(stderr, "%s: %s\n", w, PQerrorMessage(c));
    exit(1);
}
static PGresult *x(PGconn *c, const char *s, ExecStatusType want)
{
    PGresult *r = PQexec(c, s);
    if (PQresultStatus(r) != want)
        die(c, s);
    return r;
}
static char *p16(char *p, int v)
{
    uint16_t y = htons(v);
    memcpy(p, &y, 2);
    return p + 2;
}
static char *p32(char *p, int v)
{
    uint32_t y = htonl(v);
    memcpy(p, &y, 4);
    return p + 4;
}
static char *p64(char *p, long v)
{
    uint64_t y = htobe64(v);
    memcpy(p, &y, 8);
    return p + 8;
}
static long camp;
static char tmpl[512], tag[64];
static PGconn *pc, *uc;
static long planned = -1;
static void *planner(void *u)
{
    (void)u;
    char s[512];
    struct {
        const char *lit;
        int n, f;
    } S[16];
    int ns = 0;
    const char *F[] = { "first_name", "location", "preferred_product" };
    for (const char *p = tmpl; *p;) {
        const char *o = strchr(p, '{');
        if (!o) {
            S[ns].lit = p;
            S[ns].n = strlen(p);
            S[ns++].f = -1;
            break;
        }
        if (o > p) {
            S[ns].lit = p;
            S[ns].n = o - p;
            S[ns++].f = -1;
        }
        const char *e = strchr(o, '}');
        for (int f = 0; f < 3; f++)
            if (!strncmp(o + 1, F[f], e - o - 1)) {
                S[ns].lit = 0;
                S[ns++].f = f;
            }
        p = e + 1;
    }
    snprintf(s, sizeof s,
            "DECLARE k NO SCROLL BINARY CURSOR WITH HOLD FOR SELECT id, phone, first_name, location, preferred_product FROM contacts WHERE tags @> ARRAY['%s']",
            tag);
    static PGconn *rc;
    rc = PQconnectdb("");
    PQclear(x(rc, "BEGIN", PGRES_COMMAND_OK));
    {
        char *w = strstr(s, " WITH HOLD");
        memmove(w, w + 10, strlen(w + 10) + 1);
    }
    PQclear(x(rc, s, PGRES_COMMAND_OK));
    snprintf(s, sizeof s, "FETCH %d FROM k", IB);
    char *buf = malloc(400 * IB + 64);
    long tot = 0;
    for (;;) {
        PGresult *r = x(rc, s, PGRES_TUPLES_OK);
        int n = PQntuples(r);
        if (!n)
            break;
        struct bat *b = malloc(sizeof *b + n * sizeof(struct msg));
        b->n = n;
        b->i = 0;
        char g[128];
        snprintf(g, sizeof g,
                "SELECT setval('outbound_messages_id_seq', nextval('outbound_messages_id_seq') + %d)",
                n);
        PGresult *gr = x(pc, g, PGRES_TUPLES_OK);
        long hi = atol(PQgetvalue(gr, 0, 0));
        PQclear(gr);
        PQclear(x(pc,
                "COPY outbound_messages (id,campaign_id,contact_id,body) FROM STDIN (FORMAT binary)",
                PGRES_COPY_IN));
        char *p = buf;
        memcpy(p, "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
        p += 19;
        for (int i = 0; i < n; i++) {
            struct msg *m = &b->m[i];
            m->id = hi - n + i;
            int l = PQgetlength(r, i, 1);
            memcpy(m->to, PQgetvalue(r, i, 1), l);
            m->to[l] = 0;
            char *o = m->body;
            for (int k = 0; k < ns; k++) {
                const char *lit = S[k].lit;
                int L = S[k].n;
                if (S[k].f >= 0) {
                    lit = PQgetvalue(r, i, 2 + S[k].f);
                    L = PQgetlength(r, i, 2 + S[k].f);
                }
                memcpy(o, lit, L);
                o += L;
            }
            *o = 0;
            p = p16(p, 4);
            p = p32(p, 8);
            p = p64(p, m->id);
            p = p32(p, 8);
            p = p64(p, camp);
            p = p32(p, 8);
            memcpy(p, PQgetvalue(r, i, 0), 8);
            p += 8;
            p = p32(p, o - m->body);
            memcpy(p, m->body, o - m->body);
            p += o - m->body;
        }
        p = p16(p, -1);
        PQputCopyData(pc, buf, p - buf);
        PQputCopyEnd(pc, 0);
        PGresult *e;
        while ((e = PQgetResult(pc))) {
            if (PQresultStatus(e) != PGRES_COMMAND_OK)
                die(pc, "copy");
            PQclear(e);
        }
        PQclear(r);
        tot += n;
        put(&Q1, b, QMAX);
    }
    PQfinish(rc);
    planned = tot;
    put(&Q1, 0, 0);
    return 0;
}
static void *marker(void *u)
{
    (void)u;
    char *a = malloc(64 * 1024 + UB * 64), *t = malloc(64 * 1024 + UB * 64);
    struct bat *b;
    while ((b = get(&Q2, 1))) {
        char *p = a, *s = t;
        for (int k = 0; k < 2; k++) {
            char **z = k ? &s : &p;
            *z = p32(*z, 1);
            *z = p32(*z, 0);
            *z = p32(*z, k ? 25 : 20);
            *z = p32(*z, b->n);
            *z = p32(*z, 1);
        }
        for (int i = 0; i < b->n; i++) {
            p = p32(p, 8);
            p = p64(p, b->m[i].id);
            int L = strlen(b->m[i].sid);
            s = p32(s, L);
            memcpy(s, b->m[i].sid, L);
            s += L;
        }
        const char *v[2] = { a, t };
        int l[2] = { p - a, s - t }, f[2] = { 1, 1 };
        PGresult *r = PQexecPrepared(uc, "u", 2, v, l, f, 0);
        if (PQresultStatus(r) != PGRES_COMMAND_OK || atoi(PQcmdTuples(r)) != b->n)
            die(uc, "update");
        PQclear(r);
        free(b);
    }
    return 0;
}
struct slot {
    CURL *e;
    struct msg *m;
    struct bat *b;
    char post[512], resp[256];
    int rl;
};
static size_t wr(char *p, size_t s, size_t n, void *u)
{
    struct slot *k = u;
    size_t L = s * n;
    if (k->rl + L < sizeof k->resp - 1) {
        memcpy(k->resp + k->rl, p, L);
        k->rl += L;
        k->resp[k->rl] = 0;
    }
    return L;
}
static char *enc(char *o, const char *s)
{
    static const char h[] = "0123456789ABCDEF";
    for (; *s; s++) {
        unsigned char c = *s;
        if ((c | 32) - 'a' < 26u || c - '0' < 10u || c == '-' || c == '.' || c == '_')
            *o++ = c;
        else if (c == ' ')
            *o++ = '+';
        else {
            *o++ = '%';
            *o++ = h[c >> 4];
            *o++ = h[c & 15];
        }
    }
    *o = 0;
    return o;
}
int main(int ac, char **av)
{
    for (int o; (o = getopt(ac, av, "b:u:c:q:l:")) > 0;) {
        int v = atoi(optarg);
        if (o == 'b')
            IB = v;
        else if (o == 'u')
            UB = v;
        else if (o == 'c')
            C = v;
        else if (o == 'q')
            QMAX = v;
        else if (o == 'l')
            LMS = v;
    }
    curl_global_init(CURL_GLOBAL_ALL);
    M = curl_multi_init();
    curl_multi_setopt(M, CURLMOPT_MAXCONNECTS, (long)C);
    pc = PQconnectdb("");
    uc = PQconnectdb("");
    if (PQstatus(pc) != CONNECTION_OK || PQstatus(uc) != CONNECTION_OK)
        die(pc, "connect");
    PGresult *r = x(pc, "SELECT id, template, tag FROM campaigns LIMIT 1", PGRES_TUPLES_OK);
    camp = atol(PQgetvalue(r, 0, 0));
    strcpy(tmpl, PQgetvalue(r, 0, 1));
    strcpy(tag, PQgetvalue(r, 0, 2));
    PQclear(r);
    PQclear(PQprepare(uc, "u",
            "UPDATE outbound_messages m SET status='sent', provider_id=u.sid, updated_at=now() FROM unnest($1::bigint[],$2::text[]) AS u(id,sid) WHERE m.id=u.id AND m.status='pending'",
            2, 0));
    struct curl_slist *hdr =
            curl_slist_append(0, "Content-Type: application/x-www-form-urlencoded");
    hdr = curl_slist_append(hdr, "Expect:");
    struct slot *s = calloc(C, sizeof *s);
    int *idle = malloc(C * sizeof *idle), ni = 0;
    for (int i = 0; i < C; i++) {
        CURL *e = s[i].e = curl_easy_init();
        curl_easy_setopt(e, CURLOPT_URL, getenv("STUB_URL"));
        curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, wr);
        curl_easy_setopt(e, CURLOPT_WRITEDATA, &s[i]);
        curl_easy_setopt(e, CURLOPT_PRIVATE, &s[i]);
        curl_easy_setopt(e, CURLOPT_HTTPHEADER, hdr);
        curl_easy_setopt(e, CURLOPT_USERPWD, "AC1:secret");
        curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(e, CURLOPT_PROXY, "");
        idle[ni++] = i;
    }
    printf("READY\n");
    fflush(stdout);
    if (!fgets(s[0].post, 64, stdin))
        return 1;
    double t0 = now(), tp = 0;
    char g[256];
    snprintf(g, sizeof g, "UPDATE campaigns SET status='sending' WHERE id=%ld", camp);
    PQclear(x(pc, g, PGRES_COMMAND_OK));
    pthread_t a, b;
    pthread_create(&a, 0, planner, 0);
    pthread_create(&b, 0, marker, 0);
    struct bat *cur = 0, *out = 0;
    double tout = 0;
    long done = 0;
    int run, ql;
    for (;;) {
        while (ni) {
            if (!cur) {
                cur = get(&Q1, 0);
                if (!cur)
                    break;
            }
            struct slot *k = &s[idle[--ni]];
            k->b = cur;
            k->m = &cur->m[cur->i++];
            k->rl = 0;
            char *p = stpcpy(k->post, "From=%2B15550000000&To=");
            p = enc(p, k->m->to);
            p = stpcpy(p, "&Body=");
            p = enc(p, k->m->body);
            curl_easy_setopt(k->e, CURLOPT_POSTFIELDSIZE, (long)(p - k->post));
            curl_easy_setopt(k->e, CURLOPT_POSTFIELDS, k->post);
            curl_multi_add_handle(M, k->e);
            if (cur->i == cur->n)
                cur = 0; /* batches leak: a reference */
        }
        curl_multi_perform(M, &run);
        CURLMsg *m;
        int any = 0;
        while ((m = curl_multi_info_read(M, &ql))) {
            struct slot *k;
            long code = 0;
            curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&k);
            curl_easy_getinfo(k->e, CURLINFO_RESPONSE_CODE, &code);
            char *q = strstr(k->resp, "\"sid\":\"");
            if (m->data.result || code != 201 || !q) {
                fprintf(stderr, "send failed %d %ld\n", m->data.result, code);
                exit(1);
            }
            if (!out) {
                out = malloc(sizeof *out + UB * sizeof(struct msg));
                out->n = 0;
                tout = now();
            }
            struct msg *o = &out->m[out->n++];
            o->id = k->m->id;
            q += 7;
            char *e = strchr(q, '"');
            memcpy(o->sid, q, e - q);
            o->sid[e - q] = 0;
            curl_multi_remove_handle(M, k->e);
            idle[ni++] = k - s;
            done++;
            any = 1;
            if (out->n == UB) {
                put(&Q2, out, 0);
                out = 0;
            }
        }
        if (out && (now() - tout) * 1000 >= LMS) {
            put(&Q2, out, 0);
            out = 0;
        }
        if (planned >= 0 && done == planned)
            break;
        if (!any || !ni || !cur)
            curl_multi_poll(M, 0, 0, out ? LMS : 1000, 0);
    }
    if (out)
        put(&Q2, out, 0);
    put(&Q2, 0, 0);
    pthread_join(a, 0);
    tp = now() - t0;
    pthread_join(b, 0);
    snprintf(g, sizeof g,
            "UPDATE campaigns SET status='sent', sent_at=now() WHERE id=%ld AND NOT EXISTS (SELECT 1 FROM outbound_messages WHERE campaign_id=%ld AND status='pending')",
            camp, camp);
    r = x(pc, g, PGRES_COMMAND_OK);
    if (atoi(PQcmdTuples(r)) != 1) {
        fprintf(stderr, "pending left\n");
        return 1;
    }
    printf("DONE {\"enqueue_s\": %.3f, \"total_s\": %.3f}\n", tp, now() - t0);
    fflush(stdout);
    if (fgets(s[0].post, 64, stdin))
        _exit(0);
    _exit(0);
}
