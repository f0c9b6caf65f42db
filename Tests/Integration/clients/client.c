// hiredis: commands on stdin, a line each, words separated by tabs; scalars of the reply on lines of
// their own, then `--`.
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <string.h>

static void show(const redisReply *r) {
  switch (r->type) {
  case REDIS_REPLY_INTEGER: printf("%lld\n", r->integer); break;
  case REDIS_REPLY_NIL: break;
  case REDIS_REPLY_ARRAY:
    for (size_t i = 0; i < r->elements; i++) show(r->element[i]);
    break;
  default: printf("%.*s\n", (int)r->len, r->str);
  }
}

int main(int argc, char **argv) {
  if (argc != 2) return 64;
  redisContext *c = redisConnectUnix(argv[1]);
  if (!c || c->err) return 69;
  char line[8192];
  while (fgets(line, sizeof line, stdin)) {
    const char *words[64];
    int count = 0;
    line[strcspn(line, "\n")] = 0;
    for (char *word = strtok(line, "\t"); word && count < 64; word = strtok(NULL, "\t"))
      words[count++] = word;
    redisReply *reply = redisCommandArgv(c, count, words, NULL);
    if (!reply) return 76;
    show(reply);
    printf("--\n");
    freeReplyObject(reply);
  }
  redisFree(c);
  return 0;
}
