using System.Runtime.CompilerServices;
using Portico.Core.Handshake;
using Portico.Core.Net;
using Portico.Core.Sessions;

namespace Portico.Core.Clients;

/// <summary>
/// One client connection. Start reading here: <see cref="RunAsync"/> is the table of contents
/// of the proxy; what a session has and how it ends is in <see cref="Session"/>.
/// </summary>
internal sealed class ClientSession(Channel client, ListenerContext listener, LoopContext context) : Session(client, listener, context)
{
    /// <summary>
    /// Decides how a client is let in; ends when the session relays,
    /// when a stranger was passed on, or when the client is gone.
    /// </summary>
    /// <param name="handshake">Memory for the steps.</param>
    /// <param name="loop">The steps, and what they need.</param>
    [AsyncMethodBuilder(typeof(StepMethodBuilder))]
    public async ValueTask RunAsync(HandshakeState handshake, LoopServices loop)
    {
        // 0. Behind a balancer, its PROXY header comes first and says who the client is.
        var step = IsBehindBalancer ? await loop.Origins.ReadAsync(handshake) : default;

        // 1. Identify: reads until the judge can tell; one absolute deadline, bytes never extend it.
        if (step.GoesOn) step = await loop.Identification.IdentifyAsync(handshake);

        // 2. Stranger: without the secret, the cover is all there is, byte for byte, and this method is done.
        if (step.IsStranger) { await loop.Strangers.PassOnAsync(handshake, step.Reason); return; }

        // 3. Admit: replay memory, rules and limits. The lease remembers what was taken and travels with the session. Refused = a stranger.
        if (step.GoesOn) step = await loop.Admission.AdmitAsync(handshake);
        if (step.IsStranger) { await loop.Strangers.PassOnAsync(handshake, step.Reason); return; }

        // 4. Greet: our flight. Only now does the client name its DC and framing.
        if (step.GoesOn) step = await loop.Greeting.CompleteAsync(handshake);

        // 5. Connect to that DC: a connection of its own, or a place on a link that many share.
        if (step.GoesOn) step = await loop.Backends.ConnectAsync(handshake);

        // 6. Relay: from here on events call methods; no task, state machine or hello outlives this line.
        if (step.GoesOn) handshake.TakeRelay().Start();
        else LingeringClose.End(this, step);
    }
}
