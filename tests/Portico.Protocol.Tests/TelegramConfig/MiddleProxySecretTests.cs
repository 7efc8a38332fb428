using Portico.Protocol.TelegramConfig;
using Xunit;

namespace Portico.Protocol.Tests.TelegramConfig;

public class MiddleProxySecretTests
{
    [Theory]
    [InlineData(0, false)]
    [InlineData(31, false)]
    [InlineData(32, true)]
    [InlineData(128, true)]
    [InlineData(256, true)]
    [InlineData(257, false)]
    public void A_document_of_32_to_256_bytes_is_a_secret(int length, bool isSecret)
    {
        Assert.Equal(isSecret, MiddleProxySecret.TryCreate(new byte[length], out var secret));
        Assert.Equal(isSecret ? length : null, secret?.Bytes.Length);
    }

    [Fact]
    public void A_secret_is_a_copy_that_equals_the_same_bytes_only()
    {
        byte[] bytes = [.. Enumerable.Range(1, 64).Select(value => (byte)value)];
        Assert.True(MiddleProxySecret.TryCreate(bytes, out var secret));
        Assert.True(MiddleProxySecret.TryCreate(bytes, out var same));
        bytes[63]++;
        Assert.True(MiddleProxySecret.TryCreate(bytes, out var other));
        Assert.True(MiddleProxySecret.TryCreate(bytes.AsSpan(0, 32), out var shorter));

        Assert.Equal(secret, same);
        Assert.Equal(secret.GetHashCode(), same.GetHashCode());
        Assert.NotEqual(secret, other);
        Assert.NotEqual(secret, shorter);
        Assert.Equal(0x04030201u, secret.KeySelector);
        Assert.Equal("[secret]", secret.ToString());
    }
}
