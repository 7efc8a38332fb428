using System.Net;
using FsCheck;
using FsCheck.Fluent;
using Portico.Protocol.TelegramConfig;
using Xunit;

namespace Portico.Protocol.Tests.TelegramConfig;

public class ProxyConfigDocumentTests
{
    [Theory]
    [InlineData("proxy_for 1 1.2.3:80;")]
    [InlineData("proxy_for 1 16909060:80;")]
    [InlineData("proxy_for 1 0x01.2.3.4:80;")]
    [InlineData("proxy_for 1 01.2.3.4:80;")]
    [InlineData("proxy_for 1 ::ffff:1.2.3.04:80;")]
    [InlineData("proxy_for 1 [1.2.3.4]:80;")]
    [InlineData("proxy_for 1 [::1:80;")]
    [InlineData("proxy_for 1 ::1]:80;")]
    [InlineData("proxy_for 1 [[::1]]:80;")]
    [InlineData("proxy_for 1 [[::1]:80]:80;")]
    [InlineData("proxy_for 1 fe80::1%eth0:80;")]
    [InlineData("proxy_for 1 proxy.example:80;")]
    [InlineData("proxy_for 1 1.2.3.4;")]
    [InlineData("proxy_for 1 1.2.3.4:;")]
    [InlineData("proxy_for 1 :80;")]
    [InlineData("proxy_for 1 1.2.3.4:+80;")]
    [InlineData("proxy_for 1 1.2.3.4: 80;")]
    [InlineData("proxy_for 1 1.2.3.4:80 1.2.3.5:80;")]
    [InlineData("proxy_for 1;")]
    [InlineData("proxy_for;")]
    [InlineData("proxy_for 32768 1.2.3.4:80;")]
    [InlineData("proxy_for -32769 1.2.3.4:80;")]
    [InlineData("proxy_for 1.0 1.2.3.4:80;")]
    [InlineData("default 32768;")]
    [InlineData("default;")]
    [InlineData("default 1 2;")]
    public void A_bad_statement_is_skipped_and_listed_with_its_line(string statement)
    {
        var document = ProxyConfigDocument.Parse($"# a comment; and more\nproxy_for 5 1.2.3.4:5; {statement}\nproxy_for 5 1.2.3.5:5;\n");

        Assert.Equal(2, Assert.Single(document.Faults).Line);
        Assert.Equal(1, document.FaultCount);
        Assert.Equal([5], document.Dcs);
        Assert.Equal([IPEndPoint.Parse("1.2.3.4:5"), IPEndPoint.Parse("1.2.3.5:5")], document.Endpoints(5).ToArray());
        Assert.Null(document.DefaultDc);
    }

    [Fact]
    public void Statements_end_at_semicolons_and_at_lines_and_comments_reach_to_the_end_of_theirs()
    {
        var document = ProxyConfigDocument.Parse("default 1;proxy_for 1 1.2.3.4:1;;proxy_for 2 1.2.3.4:2\n"
            + "proxy_for 3 1.2.3.4:3 # ; proxy_for 4 1.2.3.4:4;\r\n#proxy_for 5 1.2.3.4:5;\n\nproxy_for 6 1.2.3.4:6");

        Assert.Equal([1, 2, 3, 6], document.Dcs);
        Assert.Equal((short)1, document.DefaultDc);
        Assert.Empty(document.Faults);
    }

    [Fact]
    public void Names_of_statements_are_whole_words_and_lower_case()
    {
        var document = ProxyConfigDocument.Parse("proxy_form 1 1.2.3.4:1;\nPROXY_FOR 1 1.2.3.4:1;\nproxy 1.2.3.4:1;\ndefaults 1;\n");

        Assert.False(document.IsValid);
        Assert.Empty(document.Faults);
    }

    [Fact]
    public void Ids_reach_from_the_least_to_the_greatest_and_signs_matter()
    {
        var document = ProxyConfigDocument.Parse(
            "proxy_for -32768 1.2.3.4:1;\nproxy_for 32767 1.2.3.4:2;\nproxy_for 2 1.2.3.4:3;\nproxy_for -2 1.2.3.4:65535;\n");

        Assert.Equal([-32768, 32767, 2, -2], document.Dcs);
        Assert.Equal([IPEndPoint.Parse("1.2.3.4:65535")], document.Endpoints(-2).ToArray());
        Assert.Empty(document.Endpoints(3));
    }

    [Fact]
    public void An_IPv4_address_mapped_into_IPv6_is_read_as_IPv4() =>
        Assert.Equal(
            [IPEndPoint.Parse("1.2.3.4:80")], ProxyConfigDocument.Parse("proxy_for 1 [::ffff:1.2.3.4]:80;").Endpoints(1).ToArray());

    [Fact]
    public void A_document_of_faults_is_read_to_its_end_and_its_list_is_bounded()
    {
        var document = ProxyConfigDocument.Parse(string.Concat(Enumerable.Repeat("proxy_for x;\n", 1000)) + "proxy_for 1 1.2.3.4:80;");

        Assert.True(document.IsValid);
        Assert.Equal(1000, document.FaultCount);
        Assert.Equal(Enumerable.Range(1, ProxyConfigDocument.MaxFaults), document.Faults.Select(fault => fault.Line));
    }

    [Fact]
    public void Documents_are_read_as_they_were_written() => Prop.ForAll(
        Gen.OneOf(Gen.Constant<short?>(null), Dcs.Select(dc => (short?)dc)).ToArbitrary(),
        (from dc in Dcs from endpoint in Endpoints select (dc, endpoint)).ListOf().ToArbitrary(),
        (defaultDc, endpoints) =>
        {
            var document = new ProxyConfigDocument(defaultDc, endpoints);
            var read = ProxyConfigDocument.Parse(document.Write());
            return read.DefaultDc == defaultDc
                && read.FaultCount == 0
                && read.Dcs.SequenceEqual(endpoints.Select(one => one.dc).Distinct())
                && read.Dcs.All(dc => read.Endpoints(dc).SequenceEqual(endpoints.Where(one => one.dc == dc).Select(one => one.endpoint)));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Any_text_at_all_is_read() => Prop.ForAll(
        Gen.Elements(
            "proxy_for", "default", " ", " ", "\t", "\r", "\n", "\n", ";", ";", "#", ":", "[", "]",
            "1.2.3.4", "::1", "%", "80", "-1", "99999", "\0", "é", "x").ArrayOf().ToArbitrary(),
        pieces =>
        {
            var document = ProxyConfigDocument.Parse(string.Concat(pieces));
            return document.IsValid == document.Dcs.Any(dc => document.Endpoints(dc).Length > 0)
                && document.Faults.Count == Math.Min(document.FaultCount, ProxyConfigDocument.MaxFaults);
        }).QuickCheckThrowOnFailure();

    private static Gen<short> Dcs =>
        Gen.OneOf(Gen.Choose(-5, 5), Gen.Elements(203, -203, short.MinValue, short.MaxValue)).Select(dc => (short)dc);

    private static Gen<IPEndPoint> Endpoints =>
        from length in Gen.Elements(4, 16)
        from bytes in Gen.Choose(0, 255).Select(value => (byte)value).ArrayOf(length)
        from port in Gen.Choose(1, 65535)
        select new IPEndPoint(new IPAddress(bytes), port);
}
