using Portico.Core.Tests.Staging;
using Portico.Protocol;
using Xunit;

namespace Portico.Core.Tests.Backends.MiddleProxy;

/// <summary>In which pieces a part of a file leaves: each write is a system call, and each record shows on the wire.</summary>
public sealed class AnswerPiecesTests : IDisposable
{
    // What apps ask for at a time, and how often.
    private const int Part = 128 * 1024, Parts = 20;

    // No server that has 128 KB to send ends them with a record of a few bytes.
    private const int LeastRecord = 64;

    private readonly MiddleStage _stage = new();

    public void Dispose() => _stage.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_part_of_a_file_leaves_in_two_writes_and_no_record_of_it_is_tiny(bool isTls)
    {
        var traits = new ClientTraits { IsTls = isTls, Transport = isTls ? Transport.Padded : Transport.Intermediate };
        var (client, link, id) = _stage.Rest(traits);
        client.Peer.ToPeer.Capacity = 4 * Part; // a client with room for all of it
        for (var part = 1; part <= Parts; part++)
        {
            var (writes, records) = (client.Peer.Writes, isTls ? client.Inner.RecordLengths.Count : 0);
            link.Answer(id, new byte[Part]);
            _stage.Run();
            Assert.Equal(Part, client.Packets[part].Length);
            Assert.InRange(client.Peer.Writes - writes, 1, 2);
            if (!isTls) continue;
            Assert.All(client.Inner.RecordLengths[records..], length => Assert.True(length >= LeastRecord, $"a record of {length} bytes"));
        }
    }
}
