using System.Buffers.Binary;

namespace Portico.TestKit.Telegram.Middle;

/// <summary>What the data centre behind a middle proxy says to a client's packet: resPQ, or what the test's command asks for.</summary>
internal static class MiddleAnswers
{
    /// <summary>The payloads of frames that answer a request, made one after the other, so that a long download needs no memory.</summary>
    /// <param name="client">Who asks.</param>
    /// <param name="packet">The client's packet.</param>
    /// <param name="wantsQuickAck">Whether RPC_SIMPLE_ACK comes first.</param>
    internal static IEnumerable<byte[]> To(MiddleClient client, byte[] packet, bool wantsQuickAck)
    {
        if (wantsQuickAck)
            yield return MiddlePayload.SimpleAck(client.Id, MiddleRequest.ConfirmOf(packet));
        foreach (var payload in ToCommand(client, packet))
            yield return payload;
    }

    private static IEnumerable<byte[]> ToCommand(MiddleClient client, byte[] packet)
    {
        if (!TestFrame.TryParse(packet, out var command, out var body))
        {
            var answer = MtprotoMessages.AnswerTo(packet);
            return answer.AsSpan().SequenceEqual(MtprotoMessages.NotFound)
                ? [MiddlePayload.ProxyAns(client.Id, answer, MiddlePayload.SmallErrorFlag)]
                : [MiddlePayload.ProxyAns(client.Id, answer)];
        }
        switch (command)
        {
            case TestCommand.Echo:
                return [MiddlePayload.ProxyAns(client.Id, packet)];
            case TestCommand.Source:
                return Source(client.Id, BinaryPrimitives.ReadUInt32LittleEndian(body), BinaryPrimitives.ReadInt32LittleEndian(body[4..]));
            case TestCommand.Sink when TestFrame.IsPattern(body, (uint)client.SinkFrames):
                client.SinkFrames++;
                client.SinkBytes += (ulong)body.Length;
                return [];
            case TestCommand.Report:
                Span<byte> report = stackalloc byte[16];
                BinaryPrimitives.WriteUInt64LittleEndian(report, client.SinkFrames);
                BinaryPrimitives.WriteUInt64LittleEndian(report[8..], client.SinkBytes);
                return [MiddlePayload.ProxyAns(client.Id, TestFrame.Create(TestCommand.Report, report))];
            case TestCommand.Finish:
                return [MiddlePayload.CloseExt(client.Id)];
            default:
                return [];
        }
    }

    private static IEnumerable<byte[]> Source(long id, uint frames, int size)
    {
        var frame = new byte[TestFrame.HeaderLength + ((size + 3) & ~3)];
        for (uint sequence = 0; sequence < frames; sequence++)
        {
            TestFrame.WritePattern(frame, TestCommand.Source, sequence, size);
            yield return MiddlePayload.ProxyAns(id, frame);
        }
    }
}
