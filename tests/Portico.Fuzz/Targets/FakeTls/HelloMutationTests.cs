using Portico.Fuzz.Searching;
using Portico.Protocol;
using Portico.Protocol.FakeTls;
using Xunit;

namespace Portico.Fuzz.Targets.FakeTls;

public sealed class HelloMutationTests
{
    [Fact]
    public void The_record_is_as_long_as_it_says_whatever_was_changed_inside()
    {
        var random = new SplitMix(1);
        var hello = HelloSeeds.All.First();
        for (var i = 0; i < 1000; i++)
        {
            var changed = HelloMutation.Resize(hello, HelloLayout.Find(hello), random);

            Assert.Equal(changed.Length - 5, (int)NumberMutation.Read(changed.AsSpan(3, 2), bigEndian: true));
        }
    }

    [Fact]
    public void Most_changed_hellos_are_read_to_their_end_and_many_are_signed()
    {
        using var key = new HmacKey(VectorFile.Secret);
        var random = new SplitMix(1);
        var hello = HelloSeeds.All.First();
        var scratch = new byte[ClientHelloReader.MaxHelloLength];
        var (read, signed) = (0, 0);
        for (var i = 0; i < 1000; i++)
        {
            if (ClientHelloReader.TryCollect(HelloMutation.Apply(hello, random, key), scratch, out var whole, out _, out _)
                != FrameStatus.Ok)
                continue;
            read++;
            if (HelloDigest.Matches(whole, key, out _)) signed++;
        }

        Assert.InRange(read, 600, 1000);
        Assert.InRange(signed, 400, read);
    }
}
