// Reads a stream from its first event to its last in pages and prints events and nanoseconds.
//   scan SOCKET redis  STREAM PAGE      XRANGE STREAM <after> + COUNT PAGE
//   scan SOCKET lethe  STREAM PAGE      EVENT.RANGE STREAM <after> + COUNT PAGE
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

int main(int count, char **words) {
  if (count != 5) return 64;
  int is_redis = strcmp(words[2], "redis") == 0;
  redisContext *context = redisConnectUnix(words[1]);
  if (!context || context->err) return 69;
  char after[64] = "-";
  unsigned long long events = 0, bytes = 0;
  double start = now();
  for (;;) {
    redisReply *reply =
        redisCommand(context, "%s %s %s + COUNT %s", is_redis ? "XRANGE" : "EVENT.RANGE", words[3],
                     after, words[4]);
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
