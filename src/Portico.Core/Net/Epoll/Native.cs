using System.Runtime.InteropServices;

namespace Portico.Core.Net.Epoll;

/// <summary>
/// The system calls of the epoll engine, as Linux documents them (man 2 of each name).
/// Nothing else in the project declares any.
/// </summary>
internal static unsafe partial class Native
{
    public const int EINTR = 4, EAGAIN = 11, ENOMEM = 12, EACCES = 13, ENFILE = 23, EMFILE = 24, ENAMETOOLONG = 36, EPERM = 1,
        EADDRINUSE = 98, EADDRNOTAVAIL = 99, EAFNOSUPPORT = 97, ECONNABORTED = 103, ENOBUFS = 105, EINPROGRESS = 115;

    public const int AF_UNIX = 1, AF_INET = 2, AF_INET6 = 10, SOCK_STREAM = 1, SOCK_SEQPACKET = 5,
        SOCK_NONBLOCK = 0x800, SOCK_CLOEXEC = 0x80000;
    public const int SOL_SOCKET = 1, SO_REUSEADDR = 2, SO_TYPE = 3, SO_ERROR = 4, SO_KEEPALIVE = 9, SO_LINGER = 13, SO_REUSEPORT = 15,
        SO_RCVTIMEO = 20, SO_ACCEPTCONN = 30, SCM_RIGHTS = 1;
    public const int IPPROTO_TCP = 6, TCP_NODELAY = 1, TCP_KEEPIDLE = 4, TCP_KEEPINTVL = 5, TCP_KEEPCNT = 6, TCP_USER_TIMEOUT = 18,
        TCP_NOTSENT_LOWAT = 25;
    public const int IPPROTO_IP = 0, IP_BIND_ADDRESS_NO_PORT = 24;
    public const int IPPROTO_IPV6 = 41, IPV6_V6ONLY = 26;
    public const int SHUT_WR = 1, SHUT_RDWR = 2, MSG_NOSIGNAL = 0x4000, MSG_CMSG_CLOEXEC = 0x40000000;
    public const nuint SIOCOUTQ = 0x5411;
    public const int EPOLL_CLOEXEC = 0x80000, EFD_NONBLOCK = 0x800, EFD_CLOEXEC = 0x80000;
    public const int EPOLL_CTL_ADD = 1, EPOLL_CTL_DEL = 2;
    public const uint EPOLLIN = 1, EPOLLPRI = 2, EPOLLOUT = 4, EPOLLERR = 8, EPOLLHUP = 0x10, EPOLLRDHUP = 0x2000,
        EPOLLEXCLUSIVE = 1u << 28, EPOLLET = 1u << 31;
    public const int RLIMIT_NOFILE = 7, PR_SET_DUMPABLE = 4, PR_CAPBSET_DROP = 24, CAP_SYS_PTRACE = 19;
    public const int F_GETFD = 1, F_SETFD = 2, F_GETFL = 3, F_SETFL = 4, F_DUPFD_CLOEXEC = 1030, FD_CLOEXEC = 1, O_NONBLOCK = 0x800,
        MADV_DONTNEED = 4;

    private const string C = "libc";

    /// <summary>The error number of the call just made on this thread.</summary>
    public static int Errno => Marshal.GetLastPInvokeError();

    [LibraryImport(C, SetLastError = true)]
    public static partial int madvise(void* start, nuint length, int advice);

    [LibraryImport(C, SetLastError = true)]
    public static partial int epoll_create1(int flags);

    [LibraryImport(C, SetLastError = true)]
    public static partial int epoll_ctl(int epoll, int operation, int descriptor, void* epollEvent);

    [LibraryImport(C, SetLastError = true)]
    public static partial int epoll_wait(int epoll, void* events, int maxEvents, int timeoutMs);

    [LibraryImport(C, SetLastError = true)]
    public static partial int eventfd(uint initial, int flags);

    [LibraryImport(C, SetLastError = true)]
    public static partial int socket(int domain, int type, int protocol);

    [LibraryImport(C, SetLastError = true)]
    public static partial int bind(int descriptor, byte* address, uint length);

    [LibraryImport(C, SetLastError = true)]
    public static partial int listen(int descriptor, int backlog);

    [LibraryImport(C, SetLastError = true)]
    public static partial int connect(int descriptor, byte* address, uint length);

    [LibraryImport(C, SetLastError = true)]
    public static partial int accept4(int descriptor, byte* address, uint* length, int flags);

    [LibraryImport(C, SetLastError = true)]
    public static partial int fcntl(int descriptor, int command, nint argument = 0);

    [LibraryImport(C, SetLastError = true)]
    public static partial int ioctl(int descriptor, nuint request, int* value);

    [LibraryImport(C, SetLastError = true)]
    public static partial int getsockname(int descriptor, byte* address, uint* length);

    [LibraryImport(C, SetLastError = true)]
    public static partial int getpeername(int descriptor, byte* address, uint* length);

    [LibraryImport(C, SetLastError = true)]
    public static partial int setsockopt(int descriptor, int level, int name, void* value, uint length);

    [LibraryImport(C, SetLastError = true)]
    public static partial int getsockopt(int descriptor, int level, int name, void* value, uint* length);

    [LibraryImport(C, SetLastError = true)]
    public static partial nint recv(int descriptor, byte* buffer, nuint length, int flags);

    [LibraryImport(C, SetLastError = true)]
    public static partial nint readv(int descriptor, IoVector* vectors, int count);

    [LibraryImport(C, SetLastError = true)]
    public static partial nint send(int descriptor, byte* buffer, nuint length, int flags);

    [LibraryImport(C, SetLastError = true)]
    public static partial nint read(int descriptor, void* buffer, nuint length);

    [LibraryImport(C, SetLastError = true)]
    public static partial nint write(int descriptor, void* buffer, nuint length);

    [LibraryImport(C, SetLastError = true)]
    public static partial int shutdown(int descriptor, int how);

    [LibraryImport(C, SetLastError = true)]
    public static partial int close(int descriptor);

    [LibraryImport(C, SetLastError = true)]
    public static partial int socketpair(int domain, int type, int protocol, int* pair);

    [LibraryImport(C, SetLastError = true)]
    public static partial nint sendmsg(int descriptor, MessageHeader* message, int flags);

    [LibraryImport(C, SetLastError = true)]
    public static partial nint recvmsg(int descriptor, MessageHeader* message, int flags);

    [LibraryImport(C, SetLastError = true)]
    public static partial int getrlimit(int resource, ResourceLimit* limit);

    [LibraryImport(C, SetLastError = true)]
    public static partial int setrlimit(int resource, ResourceLimit* limit);

    [LibraryImport(C, SetLastError = true)]
    public static partial int prctl(int option, nuint first, nuint second, nuint third, nuint fourth);

    /// <summary>struct iovec.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct IoVector
    {
        public byte* Base;
        public nuint Length;
    }

    /// <summary>struct msghdr, as the kernel has it; where a C library has narrower fields, the rest of them is zero.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct MessageHeader
    {
        public byte* Name;
        public nuint NameLength;
        public IoVector* Vectors;
        public nuint VectorCount;
        public byte* Control;
        public nuint ControlLength;
        public int Flags;
    }

    /// <summary>struct timeval.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct TimeValue
    {
        public nint Seconds;
        public nint Microseconds;
    }

    /// <summary>struct rlimit.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct ResourceLimit
    {
        public nuint Soft;
        public nuint Hard;
    }
}
