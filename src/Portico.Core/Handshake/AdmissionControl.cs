using System.Runtime.CompilerServices;
using Portico.Core.Admission;
using Portico.Core.Admission.Policy;
using Portico.Core.Admission.Replay;
using Portico.Core.Diagnostics;
using Portico.Core.Net;
using Portico.Core.Sessions;
using Portico.Core.Users;
using Portico.Protocol.FakeTls;
using Portico.Protocol.Obfuscation;

namespace Portico.Core.Handshake;

/// <summary>
/// Step 3: may a client come in that has proved to know a secret?
/// One that may not is a stranger like any other. One per loop and state of the settings.
/// </summary>
/// <param name="context">Of the loop.</param>
/// <param name="replays">What was seen of clients.</param>
/// <param name="policy">The rules.</param>
/// <param name="strangers">Hears from which networks clients come.</param>
internal sealed class AdmissionControl(LoopContext context, ReplayMemory replays, AccessPolicy policy, StrangerLimits strangers)
{
    // The process that takes over has read what was seen in a fraction of a second.
    private const int LookAgainMs = 5;

    /// <summary>Asks for replays, the user's terms, the rules, then the limits; what was taken is the session's to give back.</summary>
    /// <param name="handshake">With the raw bytes that the judge has seen.</param>
    public ValueTask<StepResult> AdmitAsync(HandshakeState handshake) =>
        replays.IsMoving ? AdmitLaterAsync(handshake) : new(Admit(handshake));

    [AsyncMethodBuilder(typeof(StepMethodBuilder<>))]
    private async ValueTask<StepResult> AdmitLaterAsync(HandshakeState handshake)
    {
        var reminder = new Reminder(handshake);
        while (replays.IsMoving)
        {
            reminder.Set(context.Loop.NowMs + LookAgainMs);
            var wake = await handshake.NextEventAsync();
            if (wake != Wake.Event)
                return StepResult.Gone(wake == Wake.Deadline ? CloseReason.HandshakeTimeout : CloseReason.Shutdown);
        }

        return Admit(handshake);
    }

    private StepResult Admit(HandshakeState handshake)
    {
        var session = handshake.Session;
        if (!IsFirst(handshake, out var refusal)) return StepResult.Stranger(refusal);
        // After it was remembered: nobody may try again what others have seen.
        if (context.Loop.Memory.Level == MemoryLevel.Full)
            return StepResult.Stranger(CloseReason.Memory);
        // The settings it began under may be gone, and its secret with them.
        var secret = handshake.Result.Credential!.Secret;
        if (session.Listener.Users.Find(secret, handshake.Loop.UnixSeconds) is not { } user)
            return StepResult.Stranger(CloseReason.SecretRemoved);
        var lease = default(SessionLease);
        if (MissingRight(handshake, user, ref lease) is { } missing)
        {
            lease.Dispose();
            // With a cover the session ends like any stranger's: only this tells the operator.
            if (missing == CloseReason.ConnectionLimit)
                context.Metrics.OverLimit(session.Listener.Name);
            return StepResult.Stranger(missing);
        }

        // Not before: a replay proves nothing of who is there.
        strangers.Remember(handshake.Network);
        session.Admit(lease, user);
        return default;
    }

    // Takes what there is a limit of, one after the other; what was taken when the next is missing is in the lease.
    private CloseReason? MissingRight(HandshakeState handshake, UserRecord user, ref SessionLease lease)
    {
        var session = handshake.Session;
        if (user.Refusal(handshake.Loop.UnixSeconds) is { } refusal) return refusal;
        if (!user.TryHold()) return CloseReason.UserConnections;
        lease.Hold(user);
        if (policy.Rules is { } rules)
        {
            if (!Passes(rules, handshake, out var counted)) return CloseReason.PolicyError;
            lease.Hold(counted);
        }

        if (!session.Listener.Limit.TryEnter(ref lease)) return CloseReason.ConnectionLimit;
        // Last: it may send another network away.
        return lease.TryEnterNetwork(user, handshake.Network, user.Terms.MaxNetworks ?? int.MaxValue, handshake.Loop.NowMs)
            ? null
            : CloseReason.UserNetworks;
    }

    private bool IsFirst(HandshakeState handshake, out CloseReason refusal)
    {
        var (client, now) = (handshake.Result, handshake.Loop.NowMs / 1000);
        return client.IsTls
            ? replays.TryEnterHello(HelloDigest.ReplayFingerprint(client.Random), client.Timestamp, now, out refusal)
            : replays.TryEnterHeader(ObfuscatedHeader.ReplayFingerprint(handshake.Raw), now, out refusal);
    }

    private bool Passes(PolicyRules rules, HandshakeState handshake, out PolicyLease counted)
    {
        using var scratch = handshake.Loop.Scratch.Borrow();
        var session = handshake.Session;
        var domain = session.HostName.Span;
        if (rules.NeedsDomain && handshake.Result.IsTls)
            ClientHelloReader.TryFindUsableSni(handshake.Raw.AsSpan(0, handshake.RawLength), scratch.Bytes, out domain);
        Span<byte> address = stackalloc byte[16];
        address = rules.NeedsAddress ? address[..handshake.WriteClientAddress(address)] : default;
        var caller = new PolicyCaller(session.Listener.Name, domain, address);
        if (rules.Refusing(caller, out counted) is not { } refusing) return true;
        context.Metrics.PolicyRefused(refusing.Index, refusing.Rule.KindName);
        return false;
    }

    // Once at a time, whatever the client sends meanwhile. Whoever has the handshake by then hears of an event that is none, which every
    // waiting step bears.
    private sealed class Reminder(HandshakeState handshake) : ILoopTask
    {
        private bool _isSet;

        public void Set(long dueMs)
        {
            if (_isSet) return;
            _isSet = true;
            handshake.Loop.EnqueueAt(dueMs, this);
        }

        public void Run()
        {
            _isSet = false;
            handshake.Nudge();
        }

        public void OnFault(Exception error) => handshake.OnFault(error);
    }
}
