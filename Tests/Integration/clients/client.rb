# redis-rb: commands on stdin, a line each, words separated by tabs; scalars of the reply on lines of
# their own, then `--`.
require "redis"

def show(reply)
  case reply
  when nil then nil
  when Array then reply.each { |part| show(part) }
  when Redis::CommandError then puts reply.message
  else puts reply.to_s
  end
end

redis = Redis.new(path: ARGV[0])
$stdin.each_line(chomp: true) do |line|
  begin
    show(redis.call(line.split("\t")))
  rescue Redis::CommandError => error
    puts error.message
  end
  puts "--"
end
redis.close
