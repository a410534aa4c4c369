# Freezes the app, tries it and builds the installer. NOT BUILT OR TRIED HERE: it needs Windows,
# Python 3.11 to 3.13 with `pip install .[packaging]`, and Inno Setup 6.
$ErrorActionPreference = "Stop"
Set-Location (Join-Path $PSScriptRoot "..\..")
python packaging/icons.py build/icons
python -m PyInstaller --noconfirm --distpath build/frozen --workpath build/pyinstaller packaging/cxr_quorum.spec
if ($LASTEXITCODE) { exit $LASTEXITCODE }
python packaging/frozen_smoke.py build/frozen/cxr-quorum/cxr-quorum.exe
if ($LASTEXITCODE) { exit $LASTEXITCODE }
$version = python -c "import desktop; print(desktop.__version__)"
& "${env:ProgramFiles(x86)}\Inno Setup 6\ISCC.exe" "/DVersion=$version" packaging\windows\cxr-quorum.iss
exit $LASTEXITCODE
