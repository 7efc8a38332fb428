using Portico.Core.Net.Epoll;
using Xunit;

namespace Portico.Core.Tests.Net.Epoll;

public unsafe class EpollEventsTests
{
    private const ulong FirstToken = 0x1122_3344_5566_7788, SecondToken = 0x99aa_bbcc_ddee_ff01;

    /// <summary>The layout differs between processors; the kernel is the judge of ours.</summary>
    [Fact]
    public void What_the_kernel_writes_is_what_was_registered()
    {
        if (!OperatingSystem.IsLinux()) return; // there is no other kernel to ask
        var epoll = Native.epoll_create1(Native.EPOLL_CLOEXEC);
        var (first, second) = (
            Native.eventfd(1, Native.EFD_NONBLOCK | Native.EFD_CLOEXEC), Native.eventfd(0, Native.EFD_NONBLOCK | Native.EFD_CLOEXEC));
        using var events = new EpollEvents(4);
        try
        {
            Register(epoll, first, Native.EPOLLIN | Native.EPOLLOUT, FirstToken);
            Register(epoll, second, Native.EPOLLIN | Native.EPOLLOUT, SecondToken);
            Assert.Equal(2, Native.epoll_wait(epoll, events.Pointer, events.Capacity, 0));
            var seen = Enumerable.Range(0, 2).ToDictionary(events.Token, events.Mask);
            Assert.Equal(Native.EPOLLIN | Native.EPOLLOUT, seen[FirstToken]);
            Assert.Equal(Native.EPOLLOUT, seen[SecondToken]);
        }
        finally
        {
            _ = Native.close(first);
            _ = Native.close(second);
            _ = Native.close(epoll);
        }
    }

    private static void Register(int epoll, int descriptor, uint mask, ulong token)
    {
        var target = stackalloc byte[16];
        EpollEvents.Write(target, mask, token);
        Assert.Equal(0, Native.epoll_ctl(epoll, Native.EPOLL_CTL_ADD, descriptor, target));
    }
}
