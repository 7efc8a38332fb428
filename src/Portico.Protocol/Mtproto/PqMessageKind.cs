namespace Portico.Protocol.Mtproto;

/// <summary>What a packet between client and data centre is, as far as somebody without keys can see (spec/05 section 8).</summary>
public enum PqMessageKind : byte
{
    /// <summary>A key is named, or the packet is too short to name none, as the four bytes of a data centre's refusal are.</summary>
    Encrypted,

    /// <summary>No key is named, and it is none of those below.</summary>
    Unknown,

    /// <summary>No key is named, and the length or a field of the message does not fit.</summary>
    Malformed,

    /// <summary>req_pq: the first question of a client.</summary>
    ReqPq,

    /// <summary>req_pq_multi: the same of clients that know more than one key of Telegram's.</summary>
    ReqPqMulti,

    /// <summary>resPQ, the answer to either.</summary>
    ResPq,
}
