// Reads a stream from its first event to its last in pages and prints events and nanoseconds.
//   scan SOCKET redis  STREAM PAGE      XRANGE STREAM <after> + COUNT PAGE
//   scan SOCKET lethe  STREAM PAGE      EVENT.RANGE STREAM <after> + COUNT PAGE
//   scan SOCKET ce     STREAM PAGE      the same with FORMAT ce: one text an event
// The same client (hiredis) and the same loop for both, so that only the servers differ.
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

// The value of a text member of CloudEvents JSON, which here has no escapes.
static const char *member(const char *json, const char *name, size_t *length) {
  const char *found = strstr(json, name);
  if (!found) exit(65);
  found += strlen(name);
  *length = strchr(found, '"') - found;
  return found;
}

int main(int count, char **words) {
  if (count != 5) return 64;
  int is_redis = strcmp(words[2], "redis") == 0;
  int is_ce = strcmp(words[2], "ce") == 0;
  redisContext *context = redisConnectUnix(words[1]);
  if (!context || context->err) return 69;
  char after[64] = "-";
  unsigned long long events = 0, bytes = 0;
  double start = now();
  for (;;) {
    redisReply *reply =
        is_ce ? redisCommand(context, "EVENT.RANGE %s %s + COUNT %s FORMAT ce", words[3], after,
                             words[4])
              : redisCommand(context, "%s %s %s + COUNT %s", is_redis ? "XRANGE" : "EVENT.RANGE",
                             words[3], after, words[4]);
    if (!reply || reply->type != REDIS_REPLY_ARRAY) {
      fprintf(stderr, "scan: %s\n", reply ? reply->str : context->errstr);
      return 70;
    }
    if (reply->elements == 0) break;
    redisReply *last = reply->element[reply->elements - 1];
    events += reply->elements;
    if (is_redis) {
      snprintf(after, sizeof after, "(%s", last->element[0]->str);
      for (size_t i = 0; i < reply->elements; i++)
        bytes += reply->element[i]->element[1]->element[5]->len;
    } else if (is_ce) {
      size_t length;
      const char *sequence = member(last->str, "\"sequence\":\"", &length);
      snprintf(after, sizeof after, "(%llu", strtoull(sequence, NULL, 10));
      for (size_t i = 0; i < reply->elements; i++) {
        member(reply->element[i]->str, "\"data\":\"", &length);
        bytes += length;
      }
    } else {
      const char *wanted = strcmp(words[3], "*") == 0 ? "position" : "version";
      for (size_t i = 0; i + 1 < last->elements; i += 2)
        if (strcmp(last->element[i]->str, wanted) == 0)
          snprintf(after, sizeof after, "(%lld", last->element[i + 1]->integer);
      for (size_t i = 0; i < reply->elements; i++)
        for (size_t f = 0; f + 1 < reply->element[i]->elements; f += 2)
          if (strcmp(reply->element[i]->element[f]->str, "data") == 0)
            bytes += reply->element[i]->element[f + 1]->len;
    }
    freeReplyObject(reply);
  }
  printf("%llu %llu %.0f\n", events, bytes, now() - start);
  return 0;
}
