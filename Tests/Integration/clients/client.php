<?php
// phpredis: commands on stdin, a line each, words separated by tabs; scalars of the reply on lines of
// their own, then `--`. The extension answers `false` for an error and for null alike, and `true` for
// every status, whether OK or QUEUED.
function show($reply) {
    if ($reply === null || $reply === false) return;
    if (is_array($reply)) { foreach ($reply as $part) show($part); return; }
    echo $reply === true ? "OK\nQUEUED" : $reply, "\n";
}

$redis = new Redis();
$redis->connect($argv[1]);
while (($line = fgets(STDIN)) !== false) {
    $redis->clearLastError();
    try {
        $reply = $redis->rawCommand(...explode("\t", rtrim($line, "\n")));
        $error = $redis->getLastError();
        show($error === null || is_array($reply) ? $reply : $error);
    } catch (RedisException $exception) {
        echo $exception->getMessage(), "\n";
    }
    echo "--\n";
}
$redis->close();
