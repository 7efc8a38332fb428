using System.CommandLine;
using Portico.Commands;
using Portico.Questions;

namespace Portico.Users;

/// <summary><c>portico user …</c>: users that are managed while the proxy runs.</summary>
internal static class UserCommand
{
    public static Command Create(CommonOptions common)
    {
        var admin = new AdminOptions(common);
        return new Command("user", "Manage users of the running proxy, beside those of its configuration file.")
        {
            AddUser.Create(admin),
            ListUsers.Create(admin),
            ShowUser.Create(admin),
            EditUser.Create(admin),
            SimpleChanges.Disable(admin),
            SimpleChanges.Enable(admin),
            SimpleChanges.Rotate(admin),
            SimpleChanges.ResetUsage(admin),
            SimpleChanges.Disconnect(admin),
            SimpleChanges.Remove(admin),
            UserLists.Import(admin),
            UserLists.Export(admin),
        };
    }
}
