; Inno Setup 6 script. NOT BUILT OR TRIED HERE: it needs Windows.
;   iscc /DVersion=0.1.0 packaging\windows\cxr-quorum.iss
; Expects the folder that PyInstaller made (packaging\cxr_quorum.spec) in build\frozen\cxr-quorum.
#ifndef Version
  #error Say /DVersion=...
#endif

[Setup]
AppId={{6E5B3C6C-6B0B-4B4E-9C55-5B1B6B1F7C21}
AppName=CXR Quorum
AppVersion={#Version}
AppPublisher=CXR Quorum contributors
DefaultDirName={autopf}\CXR Quorum
DefaultGroupName=CXR Quorum
; Per user unless somebody with the rights asks for all users.
PrivilegesRequired=lowest
PrivilegesRequiredOverridesAllowed=dialog
ArchitecturesAllowed=x64compatible
ArchitecturesInstallIn64BitMode=x64compatible
Compression=lzma2
SolidCompression=yes
LicenseFile=..\..\LICENSE
OutputDir=..\..\dist\packages
OutputBaseFilename=cxr-quorum-{#Version}-windows-x86_64-setup
SetupIconFile=..\..\build\icons\cxr-quorum.ico
UninstallDisplayIcon={app}\CXR Quorum.exe
ChangesAssociations=yes
ChangesEnvironment=yes

[Tasks]
Name: path; Description: "Make the command cxr-quorum available in terminals"

[Files]
Source: "..\..\build\frozen\cxr-quorum\*"; DestDir: "{app}"; Flags: recursesubdirs ignoreversion

[Icons]
Name: "{group}\CXR Quorum"; Filename: "{app}\CXR Quorum.exe"

[Registry]
; "Open with" for folders and DICOM files; nothing becomes the default.
Root: HKA; Subkey: "Software\Classes\Directory\shell\CXRQuorum"; ValueType: string; ValueData: "Open with CXR Quorum"; Flags: uninsdeletekey
Root: HKA; Subkey: "Software\Classes\Directory\shell\CXRQuorum"; ValueType: string; ValueName: "Icon"; ValueData: "{app}\CXR Quorum.exe"
Root: HKA; Subkey: "Software\Classes\Directory\shell\CXRQuorum\command"; ValueType: string; ValueData: """{app}\CXR Quorum.exe"" ""%1"""
Root: HKA; Subkey: "Software\Classes\.dcm\OpenWithProgids"; ValueType: string; ValueName: "CXRQuorum.dicom"; ValueData: ""; Flags: uninsdeletevalue
Root: HKA; Subkey: "Software\Classes\CXRQuorum.dicom"; ValueType: string; ValueData: "DICOM image"; Flags: uninsdeletekey
Root: HKA; Subkey: "Software\Classes\CXRQuorum.dicom\shell\open\command"; ValueType: string; ValueData: """{app}\CXR Quorum.exe"" ""%1"""
Root: HKCU; Subkey: "Environment"; ValueType: expandsz; ValueName: "Path"; ValueData: "{olddata};{app}"; Tasks: path; Check: NotOnPath

[Code]
function NotOnPath: Boolean;
var
  Path: String;
begin
  if not RegQueryStringValue(HKEY_CURRENT_USER, 'Environment', 'Path', Path) then
    Path := '';
  Result := Pos(';' + Lowercase(ExpandConstant('{app}')) + ';', ';' + Lowercase(Path) + ';') = 0;
end;
