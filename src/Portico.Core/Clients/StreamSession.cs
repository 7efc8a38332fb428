using System.Runtime.CompilerServices;
using Portico.Core.Handshake;
using Portico.Core.Net;
using Portico.Core.Sessions;
using Portico.Core.Web;

namespace Portico.Core.Clients;

/// <summary>
/// One stream of a WEB session: a client like any other once its header is there. What may be asked of a connection that nobody knows is
/// asked of the session before it has streams, so some steps of <see cref="ClientSession.RunAsync"/> are missing.
/// </summary>
internal sealed class StreamSession : Session
{
    private readonly WebStream _stream;

    public StreamSession(WebStream stream, ListenerContext listener, LoopContext context)
        : base(stream, listener, context, isUnknown: false)
    {
        _stream = stream;
        stream.GivenUp = EndFor;
    }

    /// <summary>The name that the app has asked for, in rules.</summary>
    public override ReadOnlyMemory<byte> HostName => _stream.User.HostName;

    /// <summary>Ends when the session relays, or the stream is closed.</summary>
    /// <param name="handshake">Memory for the steps.</param>
    /// <param name="loop">The steps, and what they need.</param>
    [AsyncMethodBuilder(typeof(StepMethodBuilder))]
    public async ValueTask RunAsync(HandshakeState handshake, LoopServices loop)
    {
        // 1. Identify: the header, by the secret of the session's user alone.
        var step = await loop.Streams.IdentifyAsync(handshake, _stream.User.Credential, _stream.User.IsSecure);

        // 3. Admit: replay memory, rules and limits.
        if (step.GoesOn) step = await loop.Admission.AdmitAsync(handshake);

        // Refused: CLOSE for this stream, and the session goes on.
        if (step.IsStranger) { Refuse(step.Reason); Close(step.Reason); return; }

        // 4. What came behind the header.
        if (step.GoesOn) step = await loop.Greeting.CompleteAsync(handshake);

        // 5. and 6. Connect, and relay.
        if (step.GoesOn) step = await loop.Backends.ConnectAsync(handshake);
        if (step.GoesOn) handshake.TakeRelay().Start();
        else LingeringClose.End(this, step);
    }
}
