# libredis-perl: commands on stdin, a line each, words separated by tabs; scalars of the reply on lines
# of their own, then `--`. The library makes a method of every name, and a command with two words of
# a name with `_`, so a command's name with a dot is called as `__std_cmd`.
use strict;
use warnings;
use Redis;

$| = 1;
my $redis = Redis->new(sock => $ARGV[0], encoding => undef);

sub show {
    my ($reply) = @_;
    return unless defined $reply;
    if (ref $reply eq 'ARRAY') { show($_) for @$reply; return }
    print "$reply\n";
}

while (my $line = <STDIN>) {
    chomp $line;
    my ($name, @words) = split /\t/, $line;
    my @reply = eval { $redis->__std_cmd($name, @words) };
    if (my $error = $@) {
        $error =~ s/^\[[^\]]*\] //;
        $error =~ s/,?\s+at \S+ line \d+.*//s;
        print "$error\n";
    } else {
        show($_) for @reply;
    }
    print "--\n";
}
$redis->quit;
