using Portico.IntegrationTests.Admission;
using Portico.IntegrationTests.Backends;
using Portico.IntegrationTests.Cover;
using Portico.IntegrationTests.Cover.Learning;
using Portico.IntegrationTests.Cover.Probes;
using Portico.IntegrationTests.Diagnostics;
using Portico.IntegrationTests.Doctor;
using Portico.IntegrationTests.Life;
using Portico.IntegrationTests.MiddleProxy;
using Portico.IntegrationTests.Users;
using Xunit;
using Xunit.Abstractions;

[assembly: TestCollectionOrderer("Portico.IntegrationTests.LongestFirst", "Portico.IntegrationTests")]

namespace Portico.IntegrationTests;

/// <summary>The classes that take longest begin first: one that began last would be alone at the end.</summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    private static readonly Type[] Longest =
    [
        typeof(DoctorCommandTests), typeof(HandOverTests), typeof(MisbehaviourTests), typeof(ProbeTests), typeof(UserCommandTests),
        typeof(RestartTests), typeof(BatteryTests), typeof(DeadAddressTests), typeof(RealCoverTests), typeof(OtherRealCoverTests),
        typeof(OperatorLinesTests), typeof(VanishedDcTests), typeof(VanishedMiddleProxyTests),
    ];

    public IEnumerable<ITestCollection> OrderTestCollections(IEnumerable<ITestCollection> testCollections) =>
        testCollections.OrderByDescending(IsLong);

    // Its name ends with that of its class.
    private static bool IsLong(ITestCollection collection) =>
        Array.Exists(Longest, type => collection.DisplayName.EndsWith(type.FullName!, StringComparison.Ordinal));
}
