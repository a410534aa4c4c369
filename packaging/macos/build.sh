#!/bin/sh
# Freezes the app, tries it and makes a disk image. NOT BUILT OR TRIED HERE: it needs macOS 12 or newer and
# Python 3.11 to 3.13 with `pip install '.[packaging]'`. Without a Developer ID the image is unsigned and
# Gatekeeper asks on first start; set SIGN_AS and, for notarisation, NOTARY_PROFILE (see notarytool).
set -eu
cd "$(dirname "$0")/../.."

python3 packaging/icons.py build/icons
python3 -m PyInstaller --noconfirm --distpath build/frozen --workpath build/pyinstaller packaging/cxr_quorum.spec
app="build/frozen/CXR Quorum.app"
python3 packaging/frozen_smoke.py "$app/Contents/MacOS/cxr-quorum"

if [ -n "${SIGN_AS:-}" ]; then
	codesign --force --deep --options runtime --timestamp --sign "$SIGN_AS" "$app"
fi

version=$(python3 -c "import desktop; print(desktop.__version__)")
image="dist/packages/cxr-quorum-$version-macos-$(uname -m).dmg"
stage=build/dmg
rm -rf "$stage"
mkdir -p "$stage" dist/packages
cp -R "$app" "$stage/"
ln -s /Applications "$stage/Applications"
hdiutil create -volname "CXR Quorum $version" -srcfolder "$stage" -ov -format UDZO "$image"

if [ -n "${NOTARY_PROFILE:-}" ]; then
	xcrun notarytool submit "$image" --keychain-profile "$NOTARY_PROFILE" --wait
	xcrun stapler staple "$image"
fi
