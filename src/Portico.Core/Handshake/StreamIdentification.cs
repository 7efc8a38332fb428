using System.Runtime.CompilerServices;
using Portico.Core.Diagnostics;
using Portico.Core.Net;
using Portico.Core.Sessions;
using Portico.Core.Users;
using Portico.Protocol;
using Portico.Protocol.Obfuscation;

namespace Portico.Core.Handshake;

/// <summary>
/// Step 1 of a stream inside a session that has shown whose it is: the 64-byte header, which that user's secret must open and no other.
/// What fails costs the stream alone; there is no cover in here, and nobody to be fooled.
/// </summary>
/// <param name="context">Of the loop.</param>
internal sealed class StreamIdentification(LoopContext context)
{
    /// <summary>Completes when the header was accepted or refused, or the stream is gone.</summary>
    /// <param name="handshake">Of the stream.</param>
    /// <param name="credential">Of the session's user.</param>
    /// <param name="mustBePadded">The user's link has the dd form.</param>
    [AsyncMethodBuilder(typeof(StepMethodBuilder<>))]
    public async ValueTask<StepResult> IdentifyAsync(HandshakeState handshake, Credential credential, bool mustBePadded)
    {
        // Until its first byte a stream may be kept for later; then it has to get on.
        handshake.SetDeadline(context.Loop.NowMs + (long)context.Timeouts.Idle.TotalMilliseconds);
        while (handshake.RawLength < ObfuscatedHeader.Length)
        {
            var isFirst = handshake.RawLength == 0;
            var status = handshake.ReadRaw(Judge.MaxRawLength);
            if (isFirst && handshake.RawLength > 0)
                handshake.SetDeadline(context.Loop.NowMs + (long)context.Timeouts.Header.TotalMilliseconds);
            switch (status)
            {
                case IoStatus.Ok:
                    continue;
                case IoStatus.Eof:
                    return StepResult.Gone(CloseReason.ClientClosed);
                case IoStatus.Reset:
                    return StepResult.Gone(CloseReason.ClientReset);
            }

            var wake = await handshake.NextEventAsync();
            if (wake == Wake.Shutdown) return StepResult.Gone(CloseReason.Shutdown);
            if (wake == Wake.Deadline)
                return StepResult.Gone(handshake.RawLength == 0 ? CloseReason.IdleTimeout : CloseReason.HeaderTimeout);
        }

        return Decide(handshake, credential, mustBePadded);
    }

    private static StepResult Decide(HandshakeState handshake, Credential credential, bool mustBePadded)
    {
        var judgement = new Judgement { Credential = credential };
        var header = handshake.Raw.AsSpan(0, ObfuscatedHeader.Length);
        if (!ObfuscatedHeader.TryRead(
            header, credential.Secret, out judgement.Streams, out judgement.Transport, out judgement.DcId))
            return StepResult.Stranger(CloseReason.UnknownProtocol);
        if (mustBePadded && judgement.Transport != Transport.Padded)
            return StepResult.Stranger(CloseReason.DisabledProtocol);
        handshake.Session.Identify(credential, hasOtherName: false);
        handshake.Result.Remember(judgement);
        return default;
    }
}
